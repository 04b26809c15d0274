package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.QuantizationMethod;
import dev.gatun.weights.QuantizedWeight;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A model's weights while it is built: hands them out as F32 tensors and knows what is left over.
 */
final class Weights {
  /** After as many, the first few are named and no more are looked for. */
  private static final int MOST_MISSING = 16;

  /** Elements of the largest weight that zeros stand in for. */
  private static final long MOST_ZEROS = 1 << 24;

  private static final String WEIGHT = ".weight";

  private final TensorFile file;
  private final String source;
  private final Device device;
  private final WeightType type;
  private final QuantizationMethod quantization;
  private final String prefix;
  private final Set<String> used;
  private final Set<String> missing;
  private final List<AutoCloseable> made;

  private Weights(
      TensorFile file,
      String source,
      Device device,
      WeightType type,
      QuantizationMethod quantization,
      String prefix,
      Set<String> used,
      Set<String> missing,
      List<AutoCloseable> made) {
    this.file = file;
    this.source = source;
    this.device = device;
    this.type = type;
    this.quantization = quantization;
    this.prefix = prefix;
    this.used = used;
    this.missing = missing;
    this.made = made;
  }

  /**
   * All weights of a file, on a device.
   *
   * @param source where they are, for messages
   * @param type what linear layers keep their weights as
   * @param quantization how the file's linear layers are quantised; null where they are not
   */
  Weights(
      TensorFile file,
      String source,
      Device device,
      WeightType type,
      QuantizationMethod quantization) {
    this(
        file,
        source,
        device,
        type,
        quantization,
        "",
        new TreeSet<>(),
        new LinkedHashSet<>(),
        new ArrayList<>());
  }

  /** The weights whose names begin with {@code name.}. */
  Weights sub(String name) {
    return new Weights(
        file, source, device, type, quantization, prefix + name + ".", used, missing, made);
  }

  /** The body's weights, whose names begin with its own name or with nothing. */
  Weights body(String name) {
    boolean named = file.names().stream().anyMatch(n -> n.startsWith(prefix + name + "."));
    return named ? sub(name) : this;
  }

  /** Whether a weight is there, as it is or quantised. */
  boolean has(String name) {
    return file.names().contains(prefix + name) || isQuantized(name);
  }

  /** Whether any weight begins with {@code name.}. */
  boolean hasAny(String name) {
    return file.names().stream().anyMatch(n -> n.startsWith(prefix + name + "."));
  }

  Device device() {
    return device;
  }

  /** Everything made so far, to be closed with the model. */
  List<AutoCloseable> made() {
    return made;
  }

  /** A weight of this shape, owned by the model. */
  Tensor take(String name, long... shape) {
    return own(read(name, shape));
  }

  /** A layer with {@code name.weight} and, if wanted, {@code name.bias}. */
  Linear linear(String name, long out, long in, boolean bias, Activation activation) {
    if (isQuantized(name + WEIGHT)) {
      QuantizedWeight weight = quantized(name + WEIGHT, out, in);
      requireNoBias(name, out, bias);
      return linear(weight, bias ? elements(name + ".bias", out) : null, activation);
    }
    try (Tensor weight = read(name + ".weight", out, in)) {
      return own(new Linear(weight, bias ? take(name + ".bias", out) : null, activation, type));
    }
  }

  Linear linear(String name, long out, long in) {
    return linear(name, out, in, true, Activation.NONE);
  }

  /** Layers with the same input as one layer, their outputs side by side. */
  Linear joined(long outEach, long in, String... names) {
    if (Arrays.stream(names).anyMatch(name -> isQuantized(name + WEIGHT))) {
      return joinedQuantized(outEach, in, names);
    }
    for (String name : names) {
      entry(name + ".weight", outEach, in);
    }
    float[] weights = new float[length(prefix + names[0], names.length, outEach, in)];
    float[] biases = new float[length(prefix + names[0], names.length, outEach)];
    for (int i = 0; i < names.length; i++) {
      float[] weight = elements(names[i] + ".weight", outEach, in);
      System.arraycopy(weight, 0, weights, i * weight.length, weight.length);
      float[] bias = elements(names[i] + ".bias", outEach);
      System.arraycopy(bias, 0, biases, i * bias.length, bias.length);
    }
    return linear(weights, outEach * names.length, in, biases, Activation.NONE);
  }

  private Linear joinedQuantized(long outEach, long in, String... names) {
    if (Arrays.stream(names).allMatch(name -> isQuantized(name + WEIGHT))) {
      List<QuantizedWeight> weights = new ArrayList<>();
      for (String name : names) {
        weights.add(quantized(name + WEIGHT, outEach, in));
      }
      if (QuantizedWeight.joins(weights)) {
        float[] biases = new float[length(prefix + names[0], names.length, outEach)];
        for (int i = 0; i < names.length; i++) {
          float[] bias = elements(names[i] + ".bias", outEach);
          System.arraycopy(bias, 0, biases, i * bias.length, bias.length);
        }
        return linear(QuantizedWeight.beside(weights), biases, Activation.NONE);
      }
    }
    return own(Linear.beside(Arrays.stream(names).map(name -> linear(name, outEach, in)).toList()));
  }

  /** A layer with a weight that is quantised already; bias may be null. */
  private Linear linear(QuantizedWeight weight, float[] bias, Activation activation) {
    BlockFormat format = weight.format();
    long in = weight.inFeatures();
    long[] order = weight.order();
    try (Tensor blocks =
        Tensor.of(device, weight.blocks(), weight.outFeatures(), format.rowBytes(in))) {
      return own(
          Linear.quantized(
              blocks,
              format,
              in,
              order == null ? null : own(Tensor.of(device, order, in)),
              bias == null ? null : own(Tensor.of(device, bias, weight.outFeatures())),
              activation,
              type));
    }
  }

  /** Whether a weight, {@code name.weight}, is there in quantised form alone. */
  private boolean isQuantized(String name) {
    return quantization != null
        && name.endsWith(WEIGHT)
        && !file.names().contains(prefix + name)
        && !quantization.tensors(file, module(name)).isEmpty();
  }

  private String module(String weight) {
    return prefix + weight.substring(0, weight.length() - WEIGHT.length());
  }

  private QuantizedWeight quantized(String weight, long out, long in) {
    used.addAll(quantization.tensors(file, module(weight)));
    return quantization.read(file, module(weight), out, in);
  }

  /** Quantisers write biases of 0 where the model has none. */
  private void requireNoBias(String name, long out, boolean bias) {
    if (bias || !file.names().contains(prefix + name + ".bias")) {
      return;
    }
    for (float value : elements(name + ".bias", out)) {
      if (value != 0) {
        throw new WeightsException(
            "%s: tensor '%s.bias' has %s, but the model that config.json names has no bias there"
                .formatted(source, prefix + name, value));
      }
    }
  }

  /** A layer from elements in memory; bias may be null. */
  Linear linear(float[] weight, long out, long in, float[] bias, Activation activation) {
    try (Tensor tensor = Tensor.of(device, weight, out, in)) {
      Tensor shift = bias == null ? null : Tensor.of(device, bias, out);
      if (shift != null) {
        made.add(shift);
      }
      return own(new Linear(tensor, shift, activation, type));
    }
  }

  /**
   * The output layer that is tied to an embedding table [rows, columns], with a bias of its own.
   */
  Linear tied(Tensor table, String bias) {
    return own(
        new Linear(table, has(bias) ? take(bias, table.size(0)) : null, Activation.NONE, type));
  }

  /** {@code name.weight} and {@code name.bias}, or their old names gamma and beta. */
  LayerNorm layerNorm(String name, long size, double eps) {
    boolean old = !has(name + ".weight") && has(name + ".gamma");
    return new LayerNorm(
        take(name + (old ? ".gamma" : ".weight"), size),
        take(name + (old ? ".beta" : ".bias"), size),
        (float) eps);
  }

  /** The elements of a weight of this shape; of a quantised one what they mean. */
  float[] elements(String name, long... shape) {
    if (isQuantized(name) && shape.length == 2) {
      return quantized(name, shape[0], shape[1]).dequantized();
    }
    TensorFile.Entry entry = entry(name, shape);
    int count = length(entry.source() + ": tensor '" + entry.name() + "'", entry.elements());
    float[] values = new float[count];
    MemorySegment data = entry.data();
    switch (entry.dtype()) {
      case F32 -> MemorySegment.copy(data, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          values[i] = Float.float16ToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          values[i] =
              Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          values[i] = (float) data.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
        }
      }
      default ->
          throw new IllegalArgumentException(
              "%s: tensor '%s' is %s, expected a floating-point type"
                  .formatted(entry.source(), entry.name(), entry.dtype()));
    }
    return values;
  }

  private Tensor read(String name, long... shape) {
    TensorFile.Entry entry = entry(name, shape);
    if (entry.dtype() == DType.F32) {
      Tensor tensor = Tensor.empty(device, DType.F32, entry.shape());
      device.memory().write(entry.data(), tensor.operand().buffer(), 0);
      return tensor;
    }
    return Tensor.of(device, elements(name, shape), entry.shape());
  }

  /** The elements of a shape, when an array can have as many. */
  static int length(String what, long... shape) {
    long length = 1;
    for (long axis : shape) {
      length = length > Integer.MAX_VALUE ? length : length * Math.min(axis, 1L << 31);
    }
    if (length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "%s: shape %s has 2^31 elements or more, which are not read"
              .formatted(what, Arrays.toString(shape)));
    }
    return (int) length;
  }

  private TensorFile.Entry entry(String name, long... shape) {
    if (!file.names().contains(prefix + name)) {
      return standIn(prefix + name, shape);
    }
    TensorFile.Entry entry = file.get(prefix + name);
    if (!Arrays.equals(entry.shape(), shape)) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' has shape %s, config.json says %s"
              .formatted(
                  entry.source(),
                  entry.name(),
                  Arrays.toString(entry.shape()),
                  Arrays.toString(shape)));
    }
    used.add(entry.name());
    return entry;
  }

  /** Zeros for a missing weight, so that what else is missing can be told too, within limits. */
  private TensorFile.Entry standIn(String name, long... shape) {
    missing.add(name);
    long count = 1;
    for (long axis : shape) {
      count = count > MOST_ZEROS ? count : count * Math.min(axis, MOST_ZEROS + 1);
    }
    if (missing.size() == MOST_MISSING || count > MOST_ZEROS) {
      requireNoneMissing();
    }
    MemorySegment zeros = Arena.ofAuto().allocate(count * Float.BYTES, Float.BYTES);
    return new TensorFile.Entry(name, DType.F32, shape, zeros, "a missing tensor");
  }

  private void requireNoneMissing() {
    if (missing.size() == 1) {
      file.get(missing.iterator().next());
    }
    if (!missing.isEmpty()) {
      throw new WeightsException(
          "%s: no tensors %s%s, which the model that config.json names has; the file has %d, such"
                  .formatted(
                      source,
                      String.join(", ", missing),
                      missing.size() == MOST_MISSING ? " and perhaps more" : "",
                      file.names().size())
              + " as "
              + file.names().stream().limit(3).toList());
    }
  }

  private <T extends AutoCloseable> T own(T layer) {
    made.add(layer);
    return layer;
  }

  /** Gives back what was made, when the model cannot be. */
  void closeAll() {
    for (AutoCloseable part : made) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot close a part of the model", e);
      }
    }
  }

  /**
   * The weights that nobody took. Fails when some are not even those of other heads, which tells
   * that the file is of another model than config.json says, and when some are missing.
   */
  List<String> unused(Predicate<String> ofOtherHeads) {
    requireNoneMissing();
    List<String> unused = file.names().stream().filter(n -> !used.contains(n)).toList();
    List<String> left = unused.stream().filter(n -> !ofOtherHeads.test(n)).toList();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: %d tensors belong to no part of the model that config.json names: %s%s"
              .formatted(
                  source,
                  left.size(),
                  String.join(", ", left.subList(0, Math.min(8, left.size()))),
                  left.size() > 8 ? ", ..." : ""));
    }
    return unused;
  }
}
