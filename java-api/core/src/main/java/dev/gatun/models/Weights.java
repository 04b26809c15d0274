package dev.gatun.models;

import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.DType;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A model's weights while it is built: hands them out as F32 tensors and knows what is left over.
 */
final class Weights {
  private final TensorFile file;
  private final Device device;
  private final String prefix;
  private final Set<String> used;
  private final List<AutoCloseable> made;

  private Weights(
      TensorFile file, Device device, String prefix, Set<String> used, List<AutoCloseable> made) {
    this.file = file;
    this.device = device;
    this.prefix = prefix;
    this.used = used;
    this.made = made;
  }

  /** All weights of a file, on a device. */
  Weights(TensorFile file, Device device) {
    this(file, device, "", new TreeSet<>(), new ArrayList<>());
  }

  /** The weights whose names begin with {@code name.}. */
  Weights sub(String name) {
    return new Weights(file, device, prefix + name + ".", used, made);
  }

  /** The body's weights, whose names begin with its own name or with nothing. */
  Weights body(String name) {
    boolean named = file.names().stream().anyMatch(n -> n.startsWith(prefix + name + "."));
    return named ? sub(name) : this;
  }

  boolean has(String name) {
    return file.names().contains(prefix + name);
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
    Tensor tensor = read(name, shape);
    made.add(tensor);
    return tensor;
  }

  /** A layer with {@code name.weight} and, if wanted, {@code name.bias}. */
  Linear linear(String name, long out, long in, boolean bias, Activation activation) {
    try (Tensor weight = read(name + ".weight", out, in)) {
      return own(new Linear(weight, bias ? read(name + ".bias", out) : null, activation));
    }
  }

  Linear linear(String name, long out, long in) {
    return linear(name, out, in, true, Activation.NONE);
  }

  /** Layers with the same input as one layer, their outputs side by side. */
  Linear joined(long outEach, long in, String... names) {
    float[] weights = new float[Math.toIntExact(outEach * in * names.length)];
    float[] biases = new float[Math.toIntExact(outEach * names.length)];
    for (int i = 0; i < names.length; i++) {
      float[] weight = elements(names[i] + ".weight", outEach, in);
      System.arraycopy(weight, 0, weights, i * weight.length, weight.length);
      float[] bias = elements(names[i] + ".bias", outEach);
      System.arraycopy(bias, 0, biases, i * bias.length, bias.length);
    }
    return linear(weights, outEach * names.length, in, biases, Activation.NONE);
  }

  /** A layer from elements in memory; bias may be null. */
  Linear linear(float[] weight, long out, long in, float[] bias, Activation activation) {
    try (Tensor tensor = Tensor.of(device, weight, out, in)) {
      return own(
          new Linear(tensor, bias == null ? null : Tensor.of(device, bias, out), activation));
    }
  }

  /**
   * The output layer that is tied to an embedding table [rows, columns], with a bias of its own.
   */
  Linear tied(Tensor table, String bias) {
    return own(new Linear(table, has(bias) ? read(bias, table.size(0)) : null, Activation.NONE));
  }

  /** {@code name.weight} and {@code name.bias}, or their old names gamma and beta. */
  LayerNorm layerNorm(String name, long size, double eps) {
    boolean old = !has(name + ".weight") && has(name + ".gamma");
    return new LayerNorm(
        take(name + (old ? ".gamma" : ".weight"), size),
        take(name + (old ? ".beta" : ".bias"), size),
        (float) eps);
  }

  /** The elements of a weight of this shape. */
  float[] elements(String name, long... shape) {
    TensorFile.Entry entry = entry(name, shape);
    int count = Math.toIntExact(entry.elements());
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

  private TensorFile.Entry entry(String name, long... shape) {
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
   * Fails when the file has weights that neither were taken nor are expected, which tells that the
   * file is of another model than config.json says.
   */
  void requireAllUsed(Predicate<String> expected) {
    List<String> left =
        file.names().stream().filter(n -> !used.contains(n) && !expected.test(n)).toList();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          "%d tensors belong to no part of the model that config.json names: %s%s"
              .formatted(
                  left.size(),
                  String.join(", ", left.subList(0, Math.min(8, left.size()))),
                  left.size() > 8 ? ", ..." : ""));
    }
  }
}
