package dev.gatun.weights;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.JoinedLinear;
import dev.gatun.nn.Linear;
import dev.gatun.nn.ObservedLinear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes a model's parts of a file's tensors, and owns them until the model does. A weight goes from
 * the mapped file to its packed form without a copy between, and layers with the same input become
 * one packed weight. What a model asks for and the file lacks is noted, so that all of it can be
 * told at once.
 */
public sealed class Loader implements AutoCloseable permits ParameterLoader {
  private static final String WEIGHT = ".weight";

  final TensorFile file;
  final String source;
  final Device device;
  private final QuantizationMethod quantization;
  private final WeightTypes weights;
  private final Compute compute;
  private final TakenTensors taken;
  private final MappedWeights mapped;
  private final Set<String> linear = new LinkedHashSet<>();
  private final Set<String> rows = new LinkedHashSet<>();
  private final List<List<String>> layers = new ArrayList<>();
  private final List<AutoCloseable> made = new ArrayList<>();
  private final Tables tables = new Tables();
  private final FileParts parts = new FileParts();
  private final DeviceCopies copies;
  private InputObserver observer;

  /**
   * A loader of a file's tensors onto a device.
   *
   * @param file stays its owner's, and open until the model's parts are made
   * @param source where the file is, for messages
   * @param device where the model's parts are
   * @param quantization how the file's linear layers are quantised; null where they are not
   * @param weights what the weights of linear layers that are not become
   * @param compute how products compute
   * @throws IllegalArgumentException where products with such weights cannot compute so, or weights
   *     are to stay in the mapped file and the device does not read that
   * @throws WeightsException where the device has not the memory that the weights take at least
   */
  public Loader(
      TensorFile file,
      String source,
      Device device,
      QuantizationMethod quantization,
      WeightTypes weights,
      Compute compute) {
    compute.requireFits(weights.storage());
    compute.requireFits(weights.wider());
    RequiredMemory.check(file, source, device, weights);
    this.file = file;
    this.source = source;
    this.device = device;
    if (weights.mapped() && !device.memory().adoptsInPlace()) {
      throw new IllegalArgumentException(
          "%s: weights that stay in the mapped file are read by the processor alone, not by %s:"
                  .formatted(source, device.name())
              + " load them packed, or take the device cpu");
    }
    this.taken = new TakenTensors(file, source);
    this.mapped = new MappedWeights(file, weights.mapped(), this::own);
    this.copies = new DeviceCopies(device, parts);
    this.quantization = quantization;
    this.weights = weights;
    this.compute = compute;
  }

  /**
   * A linear layer in the file: {@code name.weight}.
   *
   * @param name of the layer
   * @param outFeatures that the model gives it
   * @param bias whether it has {@code name.bias}
   */
  public record Layer(String name, long outFeatures, boolean bias) {}

  /**
   * Shows somebody the inputs of linear layers that are made from now on, but for experts'.
   *
   * @param by who is shown them; null for nobody
   * @return this
   */
  public Loader observe(InputObserver by) {
    this.observer = by;
    return this;
  }

  private Linear observed(List<String> names, Linear layer) {
    InputObserver by = observer;
    return by == null ? layer : new ObservedLinear(layer, x -> by.inputs(names, x));
  }

  /** {@return the device that it is on} */
  public Device device() {
    return device;
  }

  /** {@return the names of the file's tensors, in the order of the file} */
  public Set<String> names() {
    return file.names();
  }

  /**
   * {@return whether a tensor is there, or is a weight that is there quantised}
   *
   * @param name of the tensor
   */
  public boolean has(String name) {
    return file.names().contains(name) || isQuantized(name);
  }

  /**
   * {@return whether the file has a tensor whose numbers are not those of another, of which it may
   * be a copy} One that is quantised or in blocks counts as another.
   *
   * @param name of the tensor
   * @param other the name of the one that it may be a copy of
   */
  public boolean hasOther(String name, String other) {
    if (!has(name)) {
      return false;
    }
    boolean dense = Stream.of(name, other).allMatch(each -> isDense(each));
    if (!dense) {
      return true;
    }
    TensorFile.Entry one = file.get(name);
    TensorFile.Entry two = file.get(other);
    return one.dtype() != two.dtype()
        || !Arrays.equals(one.shape(), two.shape())
        || one.data().mismatch(two.data()) >= 0;
  }

  private boolean isDense(String name) {
    return file.names().contains(name) && file.stored(name).isEmpty();
  }

  /**
   * {@return whether there are tensors whose names begin so}
   *
   * @param prefix what their names begin with
   */
  public boolean hasAny(String prefix) {
    return file.names().stream().anyMatch(name -> name.startsWith(prefix));
  }

  /**
   * {@return whether the names of a body's tensors begin so, or with nothing}
   *
   * @param prefix such as {@code bert.}
   */
  public boolean hasBody(String prefix) {
    return hasAny(prefix);
  }

  /**
   * {@return a tensor as F32, this loader's until it is handed over}
   *
   * @param name of the tensor
   * @param shape that it must have
   * @throws IllegalArgumentException when it has another shape, or other numbers than floats
   */
  public Tensor tensor(String name, long... shape) {
    return own(wide(floats(name, shape)));
  }

  /**
   * {@return a tensor of the file that training leaves as it is, as F32, this loader's until it is
   * handed over}
   *
   * @param name of the tensor
   * @param shape that it must have
   * @throws IllegalArgumentException when it has another shape, or other numbers than floats
   */
  public Tensor constant(String name, long... shape) {
    return own(wide(floats(name, shape)));
  }

  /**
   * {@return the few elements of a tensor, row-major, for models that put some together}
   *
   * @param name of the tensor
   * @param shape that it must have
   * @throws IllegalArgumentException when it has another shape, or other numbers than floats
   */
  public float[] elements(String name, long... shape) {
    try (Tensor tensor = wide(floats(name, shape))) {
      return tensor.toFloatArray();
    }
  }

  /**
   * {@return a table [rows, features], as narrow as the file has it; in blocks where a device reads
   * those} It has its numbers once everything is handed over.
   *
   * @param name of the tensor
   * @param rows of the table
   * @param features of a row
   * @throws IllegalArgumentException when the tensor has another shape, or other numbers than
   *     floats
   */
  public Embedding embedding(String name, long rows, long features) {
    DType residual = compute.residual();
    boolean isThere = device.memory().adoptsInPlace() && file.names().contains(name);
    if (isThere && file.stored(name).orElse(null) instanceof StoredWeight.Blocks) {
      StoredWeight.Blocks blocks = (StoredWeight.Blocks) other(name, rows, features).orElseThrow();
      Embedding table = own(new Embedding(rows, features, residual, residual));
      return tables.add(table, new Tables.Source(name, null, blocks));
    }
    TensorFile.Entry entry = floats(name, rows, features);
    DType stored = entry.dtype() == DType.F64 ? DType.F32 : entry.dtype();
    DType kept = residual == DType.F32 ? stored : residual;
    Embedding table = own(new Embedding(rows, features, kept, residual));
    return tables.add(table, new Tables.Source(name, entry, null));
  }

  /**
   * {@return a table of the file that training leaves as it is, see {@link #embedding}}
   *
   * @param name of the tensor
   * @param rows of the table
   * @param features of a row
   * @throws IllegalArgumentException when the tensor has another shape, or other numbers than
   *     floats
   */
  public Embedding constantEmbedding(String name, long rows, long features) {
    return embedding(name, rows, features);
  }

  /**
   * {@return a table [rows, features] that the model put together}
   *
   * @param values row-major
   * @param rows of the table
   * @param features of a row
   */
  public Embedding table(float[] values, long rows, long features) {
    DType residual = compute.residual();
    Embedding table = own(new Embedding(rows, features, residual, residual));
    Tensor wide = Tensor.of(device, values, rows, features);
    if (residual == DType.F32) {
      table.place(wide);
    } else {
      try (wide) {
        table.place(Elementwise.cast(wide, residual));
      }
    }
    return table;
  }

  /**
   * {@return the names of the tensors of floats that became weights of linear layers, in the order
   * of the model}
   */
  public List<String> linearWeights() {
    return List.copyOf(linear);
  }

  /**
   * {@return the names of the weights of linear layers whose rows, as {@link TensorFile#get} gives
   * them, are the layer's output features in the model's order, so that a file could have blocks of
   * them}
   */
  public List<String> rowWeights() {
    return List.copyOf(rows);
  }

  /**
   * {@return the names of linear layers whose weights are floats, in the order of the model; those
   * that are packed together as one entry}
   */
  public List<List<String>> linearLayers() {
    return List.copyOf(layers);
  }

  /** Notes layers that are packed together, and says what as. */
  private Storage storage(List<String> together) {
    if (together.stream().noneMatch(name -> isQuantized(name + WEIGHT) || isBlocks(name))) {
      layers.add(List.copyOf(together));
    }
    return weights.of(together);
  }

  private WeightPacker packer(List<String> together) {
    return new WeightPacker(parts, device, storage(together), compute);
  }

  private static List<String> names(List<Layer> layers) {
    return layers.stream().map(Layer::name).toList();
  }

  /**
   * {@return a linear layer, this loader's until it is handed over}
   *
   * @param layer its names, and what the model gives it
   * @param inFeatures that the model gives it
   * @param activation what becomes of its results
   * @throws IllegalArgumentException when the weight or the bias has another shape
   */
  public Linear linear(Layer layer, long inFeatures, Activation activation) {
    return linear(List.of(layer), inFeatures, activation);
  }

  /**
   * {@return layers with the same input as one, their outputs side by side, of any widths} Biases
   * may be missing of some of them.
   *
   * @param layers in the order of their outputs
   * @param inFeatures of each
   * @param activation what becomes of their results
   * @throws IllegalArgumentException when a weight or a bias has another shape
   * @throws WeightsException when a quantised layer that the model gives no bias has one that is
   *     not 0
   */
  public Linear linear(List<Layer> layers, long inFeatures, Activation activation) {
    List<StoredWeight> stored = new ArrayList<>();
    for (Layer layer : layers) {
      stored.add(stored(layer.name(), layer.outFeatures(), inFeatures));
    }
    for (Layer layer : layers) {
      requireNoBias(layer);
    }
    WeightPacker packer = packer(names(layers));
    boolean apart = stored.stream().anyMatch(w -> mapped.has(w, null, packer.storage()));
    if (!apart && (layers.size() == 1 || WeightPacker.join(stored))) {
      layers.forEach(layer -> mapped.notePacked(layer.name(), stored.getFirst(), packer.storage()));
      Linear linear = own(packer.linear(stored, bias(layers), activation));
      layers.forEach(this::releaseCodes);
      return observed(names(layers), linear);
    }
    List<Linear> parts = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      parts.add(one(layer.name(), packer, stored.get(i), bias(List.of(layer)), activation));
    }
    layers.forEach(this::releaseCodes);
    return observed(names(layers), parts.size() == 1 ? parts.getFirst() : new JoinedLinear(parts));
  }

  /** A layer of one weight, packed or mapped. */
  private Linear one(
      String name, WeightPacker packer, StoredWeight weight, Tensor bias, Activation activation) {
    if (mapped.has(weight, bias, packer.storage())) {
      return own(packer.mapped(weight, bias, activation));
    }
    mapped.notePacked(name, weight, packer.storage());
    return own(packer.linear(List.of(weight), bias, activation));
  }

  /**
   * {@return a linear layer whose bias the model put together}
   *
   * @param name of the layer
   * @param inFeatures that the model gives it
   * @param bias [out_features]
   * @param activation what becomes of its results
   * @throws IllegalArgumentException when the weight has another shape
   */
  public Linear linear(String name, long inFeatures, float[] bias, Activation activation) {
    StoredWeight weight = stored(name, bias.length, inFeatures);
    WeightPacker packer = packer(List.of(name));
    Tensor shift = own(Tensor.of(device, bias, bias.length));
    return one(name, packer, weight, shift, activation);
  }

  /**
   * {@return a linear layer whose bias has a name of its own}
   *
   * @param layer without a bias
   * @param inFeatures that the model gives it
   * @param bias the name of its bias
   * @throws IllegalArgumentException when the weight or the bias has another shape
   */
  public Linear linear(Layer layer, long inFeatures, String bias) {
    return linear(layer.name(), inFeatures, elements(bias, layer.outFeatures()), Activation.NONE);
  }

  /**
   * {@return a linear layer without a bias whose weight is kept as F32, whatever others become} One
   * that the file has quantised stays so.
   *
   * @param layer without a bias
   * @param inFeatures that the model gives it
   * @param activation what becomes of its results
   * @throws IllegalArgumentException when the weight has another shape
   */
  public Linear exactLinear(Layer layer, long inFeatures, Activation activation) {
    if (isQuantized(layer.name() + WEIGHT)) {
      return linear(layer, inFeatures, activation);
    }
    try (Tensor weight = wide(floats(layer.name() + WEIGHT, layer.outFeatures(), inFeatures))) {
      return own(Linear.of(weight, null, activation));
    }
  }

  /**
   * {@return the same layers of each expert of a mixture, without biases: an expert's as one, their
   * outputs side by side}
   *
   * @param experts the layers of each expert, as many of each and of the same widths
   * @param inFeatures of each layer
   * @throws WeightsException where they are quantised in ways that one packed weight cannot have
   */
  public ExpertsLinear experts(List<List<Layer>> experts, long inFeatures) {
    return experts(experts, inFeatures, null);
  }

  /**
   * {@return the same with biases that the model put together}
   *
   * @param experts the layers of each expert, as many of each and of the same widths
   * @param inFeatures of each layer
   * @param bias [experts, out_features of all of an expert's layers]; or null
   * @throws WeightsException where they are quantised in ways that one packed weight cannot have
   */
  public ExpertsLinear experts(List<List<Layer>> experts, long inFeatures, float[] bias) {
    List<List<StoredWeight>> stored = new ArrayList<>();
    WeightPacker packer = packer(experts.stream().flatMap(List::stream).map(Layer::name).toList());
    for (List<Layer> layers : experts) {
      stored.add(layers.stream().map(l -> stored(l.name(), l.outFeatures(), inFeatures)).toList());
      layers.forEach(this::requireNoBias);
      layers.forEach(
          l -> mapped.notePacked(l.name(), stored.getLast().getFirst(), packer.storage()));
    }
    if (!WeightPacker.joinExperts(stored)) {
      throw new WeightsException(
          "%s: layers '%s' to '%s' are quantised in ways that differ, or with input features in an order of their own: expected one way for all experts, without desc_act"
              .formatted(
                  source,
                  experts.getFirst().getFirst().name(),
                  experts.getLast().getLast().name()));
    }
    Tensor shift = bias == null ? null : own(biases(bias, experts.size()));
    ExpertsLinear packed = own(packer.experts(stored, shift));
    experts.forEach(layers -> layers.forEach(this::releaseCodes));
    return packed;
  }

  /**
   * {@return the same of one tensor, without biases}
   *
   * @param all of which an expert's rows are its output features
   * @param outFeatures of each expert
   * @param inFeatures of each expert
   * @throws IllegalArgumentException when the tensor has another shape, or other numbers than
   *     floats
   */
  public ExpertsLinear fusedExperts(FusedExperts all, long outFeatures, long inFeatures) {
    TensorFile.Entry entry = floats(all.name(), all.shape(outFeatures, inFeatures));
    linear.add(all.name());
    mapped.noteTurned(all.name());
    List<StoredWeight> stored = all.parts(entry, outFeatures, inFeatures);
    return own(packer(List.of(all.name())).experts(stored.stream().map(List::of).toList(), null));
  }

  /**
   * {@return the same of one tensor whose rows are input features}
   *
   * @param all of which an expert's rows are its input features
   * @param outFeatures of each expert
   * @param inFeatures of each expert
   * @param bias [experts, out_features]; or null
   * @param rows gives a tensor of an expert as [out_features, in_features] without gaps, the
   *     features in the model's order, in a new one; null where they are in it
   * @throws IllegalArgumentException when the tensor has another shape, or other numbers than
   *     floats
   */
  public ExpertsLinear transposedExperts(
      FusedExperts all,
      long outFeatures,
      long inFeatures,
      float[] bias,
      UnaryOperator<Tensor> rows) {
    TensorFile.Entry entry = floats(all.name(), all.shape(inFeatures, outFeatures));
    linear.add(all.name());
    mapped.noteTurned(all.name());
    List<StoredWeight> stored = all.parts(entry, inFeatures, outFeatures);
    Tensor shift = bias == null ? null : own(biases(bias, all.experts()));
    UnaryOperator<Tensor> turned = rows == null ? x -> Layouts.transpose(x, 0, 1) : rows;
    return own(packer(List.of(all.name())).transposedExperts(stored, turned, shift));
  }

  private Tensor biases(float[] bias, int experts) {
    return Tensor.of(device, bias, experts, bias.length / experts);
  }

  /**
   * {@return a linear layer whose weight the file has as [in_features, out_features]} A quantised
   * one is read as any other.
   *
   * @param layer its names, and what the model gives it
   * @param inFeatures that the model gives it
   * @param activation what becomes of its results
   * @throws IllegalArgumentException when the weight or the bias has another shape
   */
  public Linear transposed(Layer layer, long inFeatures, Activation activation) {
    if (isQuantized(layer.name() + WEIGHT)) {
      return linear(layer, inFeatures, activation);
    }
    Optional<StoredWeight> other = other(layer.name() + WEIGHT, layer.outFeatures(), inFeatures);
    if (other.isPresent()) {
      return observed(
          List.of(layer.name()),
          one(
              layer.name(),
              packer(List.of(layer.name())),
              other.get(),
              bias(List.of(layer)),
              activation));
    }
    TensorFile.Entry entry = floats(layer.name() + WEIGHT, inFeatures, layer.outFeatures());
    linear.add(layer.name() + WEIGHT);
    mapped.noteTurned(layer.name());
    Tensor shift = bias(List.of(layer));
    try (Tensor stored = copies.plain(entry);
        Tensor weight = Layouts.transpose(stored, 0, 1)) {
      return observed(
          List.of(layer.name()),
          own(Linear.of(weight, shift, activation, storage(List.of(layer.name())), compute)));
    }
  }

  /**
   * {@return a linear layer whose output features the file has in another order than the model}
   *
   * @param layer its names, and what the model gives it
   * @param inFeatures that the model gives it
   * @param activation what becomes of its results
   * @param rows gives a tensor's entries [out_features, ...] in the model's order, in a new tensor
   *     without gaps
   * @throws IllegalArgumentException when the weight or the bias has another shape
   * @throws WeightsException where the weight is quantised
   */
  public Linear rearranged(
      Layer layer, long inFeatures, Activation activation, UnaryOperator<Tensor> rows) {
    if (isQuantized(layer.name() + WEIGHT)) {
      throw new WeightsException(
          "%s: layer '%s' is quantised, but its rows are not in the order that products want: expected floats"
              .formatted(source, layer.name()));
    }
    Optional<StoredWeight> other = other(layer.name() + WEIGHT, layer.outFeatures(), inFeatures);
    Tensor shift = null;
    if (layer.bias()) {
      try (Tensor stored = wide(floats(layer.name() + ".bias", layer.outFeatures()))) {
        shift = own(rows.apply(stored.reshape(layer.outFeatures(), 1))).reshape(-1);
      }
    }
    if (other.isPresent()) {
      StoredWeight moved =
          new Reordered(other.get(), Reordered.order(device, layer.outFeatures(), rows));
      return observed(
          List.of(layer.name()),
          one(layer.name(), packer(List.of(layer.name())), moved, shift, activation));
    }
    TensorFile.Entry entry = floats(layer.name() + WEIGHT, layer.outFeatures(), inFeatures);
    linear.add(layer.name() + WEIGHT);
    mapped.noteTurned(layer.name());
    try (Tensor stored = copies.plain(entry);
        Tensor weight = rows.apply(stored)) {
      return observed(
          List.of(layer.name()),
          own(Linear.of(weight, shift, activation, storage(List.of(layer.name())), compute)));
    }
  }

  /**
   * {@return a layer whose weight and bias training puts together of parameters anew for each
   * product} Only {@link ParameterLoader} makes it.
   *
   * @param outFeatures of the weight
   * @param weight gives F32 [out_features, in_features]
   * @param bias gives F32 [out_features]
   * @param activation what becomes of its results
   * @throws UnsupportedOperationException where the model's parts are not parameters
   */
  public Linear composed(
      long outFeatures, Supplier<Tensor> weight, Supplier<Tensor> bias, Activation activation) {
    throw new UnsupportedOperationException("composed: the layers of this model do not change");
  }

  /**
   * {@return a layer of floats that the model put together}
   *
   * @param weight F32, BF16 or F16 [out_features, in_features]; not needed afterwards
   * @param bias [out_features], or null
   * @param activation what becomes of its results
   */
  public Linear linear(Tensor weight, float[] bias, Activation activation) {
    Tensor shift = bias == null ? null : own(Tensor.of(device, bias, bias.length));
    return own(Linear.of(weight, shift, activation, weights.storage(), compute));
  }

  /**
   * {@return the output layer that is tied to an embedding table of this loader} Both are one
   * storage, the layer's, where its weight has the table's numbers.
   *
   * @param table that {@link #embedding} gave
   * @param bias the name of its own bias, or null
   * @throws IllegalArgumentException where the table is not of this loader, or has an output layer
   *     already
   */
  public Linear tied(Embedding table, String bias) {
    Tables.Source source = tables.of(table);
    Tensor shift = bias == null ? null : own(wide(floats(bias, table.rows())));
    StoredWeight weight = source.weight(file, table);
    WeightPacker packer = new WeightPacker(parts, device, weights.storage(), compute);
    Linear output = one(source.name(), packer, weight, shift, Activation.NONE);
    if (table.share(output)) {
      tables.remove(table);
    }
    return output;
  }

  /** Names a quantised weight's tensors as used and gives it, or a dense one. */
  private StoredWeight stored(String layer, long out, long in) {
    if (isQuantized(layer + WEIGHT)) {
      taken.take(quantization.tensors(file, layer));
      return quantization.read(file, layer, out, in);
    }
    Optional<StoredWeight> other = other(layer + WEIGHT, out, in);
    if (other.isPresent()) {
      rows.add(layer + WEIGHT);
      return other.get();
    }
    TensorFile.Entry entry = floats(layer + WEIGHT, out, in);
    linear.add(layer + WEIGHT);
    rows.add(layer + WEIGHT);
    return new StoredWeight.Dense(entry.data(), entry.dtype(), out, in);
  }

  /** A weight that the file has in blocks or in another order, which is used then; else empty. */
  private Optional<StoredWeight> other(String name, long out, long in) {
    Optional<StoredWeight> weight = taken.stored(name, out, in);
    if (weight.filter(w -> w.storage() instanceof Storage.Dense).isPresent()) {
      linear.add(name);
    }
    return weight;
  }

  /** Whether the weight of a layer is in blocks. */
  private boolean isBlocks(String layer) {
    return taken.isBlocks(layer + WEIGHT);
  }

  /** Gives the pages of a quantised layer back, whose words are read column by column. */
  private void releaseCodes(Layer layer) {
    if (isQuantized(layer.name() + WEIGHT)) {
      for (String tensor : quantization.tensors(file, layer.name())) {
        FileParts.release(file.get(tensor).data());
      }
    }
  }

  /** Whether a weight, {@code name.weight}, is there in quantised form alone. */
  private boolean isQuantized(String name) {
    return quantization != null
        && name.endsWith(WEIGHT)
        && !file.names().contains(name)
        && !quantization
            .tensors(file, name.substring(0, name.length() - WEIGHT.length()))
            .isEmpty();
  }

  /** Quantisers write biases of 0 where the model has none. */
  private void requireNoBias(Layer layer) {
    String bias = layer.name() + ".bias";
    if (layer.bias() || !isQuantized(layer.name() + WEIGHT) || !file.names().contains(bias)) {
      return;
    }
    for (float value : elements(bias, layer.outFeatures())) {
      if (value != 0) {
        throw new WeightsException(
            "%s: tensor '%s' has %s, but the model that config.json names has no bias there"
                .formatted(source, bias, value));
      }
    }
  }

  /** The biases of layers, one after another; null where none has one. */
  private Tensor bias(List<Layer> layers) {
    if (layers.stream().noneMatch(Layer::bias)) {
      return null;
    }
    if (layers.size() == 1) {
      return own(wide(floats(layers.getFirst().name() + ".bias", layers.getFirst().outFeatures())));
    }
    long count = layers.stream().mapToLong(Layer::outFeatures).sum();
    Tensor all = own(Tensor.zeros(device, count));
    long at = 0;
    for (Layer layer : layers) {
      if (layer.bias()) {
        try (Tensor bias = wide(floats(layer.name() + ".bias", layer.outFeatures()))) {
          Layouts.copy(bias, all.slice(0, at, at + layer.outFeatures()));
        }
      }
      at += layer.outFeatures();
    }
    return all;
  }

  /** A copy on the device in F32. */
  Tensor wide(TensorFile.Entry entry) {
    return copies.wide(entry);
  }

  /** A tensor of floats of this shape, or zeros in the place of a missing one. */
  TensorFile.Entry floats(String name, long... shape) {
    return taken.floats(name, shape);
  }

  /**
   * Takes something in that is to be closed with the rest.
   *
   * @param <T> what it is
   * @param part owned from now on, until it is handed over
   * @return the part
   */
  public <T extends AutoCloseable> T own(T part) {
    made.add(part);
    return part;
  }

  /**
   * {@return everything made, in the order of making, which belongs to the model from now on}
   * Embedding tables are given their numbers before.
   *
   * @throws WeightsException naming what the file lacks
   * @throws IllegalArgumentException naming the layers to be kept wider that the model has not
   */
  public List<AutoCloseable> handOver() {
    taken.requireNoneMissing();
    weights.requireKnown(
        layers.stream().flatMap(List::stream).collect(Collectors.toCollection(TreeSet::new)));
    tables.place(copies, compute.residual(), tables.areLeft() && mapped.keepFile());
    mapped.warn(source);
    List<AutoCloseable> parts = List.copyOf(made);
    made.clear();
    return parts;
  }

  /**
   * {@return the names of the tensors that nobody took; those of no head are told in a warning}
   *
   * @param ofOtherHeads the names that a model's own file may have besides
   * @throws IllegalArgumentException when some are of no head and {@code gatun.strict} is true
   * @throws WeightsException naming what the file lacks
   */
  public List<String> unused(Predicate<String> ofOtherHeads) {
    return taken.unused(ofOtherHeads);
  }

  /** Gives back what was made and not handed over. */
  @Override
  public void close() {
    parts.close();
    Collections.reverse(made);
    for (AutoCloseable part : made) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot close a part of the model", e);
      }
    }
    made.clear();
  }
}
