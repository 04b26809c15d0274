package dev.gatun.weights;

import dev.gatun.files.Warnings;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.ComposedLinear;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.Linear;
import dev.gatun.nn.Parameter;
import dev.gatun.nn.ReorderedLinear;
import dev.gatun.nn.TrainableExperts;
import dev.gatun.nn.TrainableLinear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * Makes a model's parts of parameters, for training: each weight keeps its numbers as F32 beside
 * what products read. Weights that the file lacks begin as a new model's do.
 */
public final class ParameterLoader extends Loader {
  private final NewWeights newWeights;
  private final Storage storage;
  private final DType between;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<Embedding, Parameter> tables = new IdentityHashMap<>();
  private final Set<String> begun = new TreeSet<>();
  private final Map<String, Constant> constants = new LinkedHashMap<>();
  // What the names of a body's tensors begin with beside a head, and not in the file.
  private String added = "";
  // A length of axes of the file's tensors, and what becomes of it.
  private long before;
  private long after;

  /**
   * A tensor that training leaves as it is.
   *
   * @param name of the tensor
   * @param shape its axes
   * @param elements row-major
   */
  public record Constant(String name, long[] shape, float... elements) {}

  /**
   * A loader of a file's tensors, to be trained.
   *
   * @param file without tensors for a new model; stays its owner's
   * @param source where the file is, for messages
   * @param device where the parameters are
   * @param storage what products read: F32, BF16 or F16
   * @param newWeights what the weights are that the file lacks
   * @throws IllegalArgumentException where the storage is another one
   * @throws WeightsException where the device has not the memory that the weights take at least
   */
  public ParameterLoader(
      TensorFile file, String source, Device device, Storage storage, NewWeights newWeights) {
    super(file, source, device, null, WeightTypes.of(storage), Compute.EXACT);
    if (!(storage instanceof Storage.Dense)) {
      throw new IllegalArgumentException(
          "training: products by weights as %s, expected F32, BF16 or F16".formatted(storage));
    }
    this.newWeights = newWeights;
    this.storage = storage;
    this.between = Compute.EXACT.between(storage);
  }

  /**
   * Makes tensors of more tokens than the file has: where an axis is to have another length than in
   * the file, these two, what is added is the mean of what is there.
   *
   * @param from the tokens of the file
   * @param to those of the model, no fewer
   */
  public void grow(long from, long to) {
    before = from;
    after = to;
  }

  /** {@return the parameters made so far, in the order of the model} */
  public List<Parameter> parameters() {
    return List.copyOf(parameters.values());
  }

  /** {@return the tensors that training leaves as they are} */
  public List<Constant> constants() {
    return List.copyOf(constants.values());
  }

  /** {@return the names of parameters that the file lacks, in the order of the alphabet} */
  public List<String> begun() {
    return List.copyOf(begun);
  }

  /** Whether the model is to have a tensor: one of the file's, or a new model's. */
  @Override
  public boolean has(String name) {
    return file.names().contains(stored(name))
        || (isNew() || isBiasOfNone(name)) && newWeights.has(name);
  }

  /** A new model's tensors are no copies of others, and none is there besides. */
  @Override
  public boolean hasOther(String name, String other) {
    return file.names().contains(stored(name)) && super.hasOther(stored(name), stored(other));
  }

  @Override
  public boolean hasAny(String prefix) {
    return isNew() ? newWeights.hasAny(prefix) : super.hasAny(stored(prefix));
  }

  /**
   * Whether the names of a body's tensors begin so. They do beside a head, whether the file has the
   * head, or the body alone by names without it.
   */
  @Override
  public boolean hasBody(String prefix) {
    if (super.hasAny(prefix)) {
      return true;
    }
    if (!newWeights.hasBody()) {
      return false;
    }
    added = prefix;
    return true;
  }

  private boolean isNew() {
    return file.names().isEmpty();
  }

  /** Whether it is the bias of a part that the file has nothing of. */
  private boolean isBiasOfNone(String name) {
    return name.endsWith(".bias")
        && !super.hasAny(stored(name.substring(0, name.lastIndexOf('.') + 1)));
  }

  /** The file's name for a tensor. */
  private String stored(String name) {
    return !added.isEmpty() && name.startsWith(added) ? name.substring(added.length()) : name;
  }

  @Override
  public Tensor tensor(String name, long... shape) {
    Parameter known = parameters.get(name);
    return known != null ? known.tensor() : parameter(name, shape).tensor();
  }

  @Override
  public Tensor constant(String name, long... shape) {
    return own(Tensor.of(device, elements(name, shape), shape));
  }

  @Override
  public float[] elements(String name, long... shape) {
    try (Tensor tensor = Tensor.empty(device, DType.F32, shape)) {
      fill(tensor, name, shape);
      begun.remove(name);
      float[] elements = tensor.toFloatArray();
      constants.put(name, new Constant(name, shape, elements));
      return elements;
    }
  }

  @Override
  public Embedding constantEmbedding(String name, long rows, long features) {
    return table(elements(name, rows, features), rows, features);
  }

  @Override
  public Embedding embedding(String name, long rows, long features) {
    Parameter table = parameter(name, rows, features);
    Embedding embedding = own(Embedding.trainable(table.tensor(), newWeights.paddingRow(name)));
    tables.put(embedding, table);
    return embedding;
  }

  @Override
  public Linear linear(List<Layer> layers, long inFeatures, Activation activation) {
    long out = layers.stream().mapToLong(Layer::outFeatures).sum();
    Tensor weight = own(Tensor.empty(device, DType.F32, out, inFeatures));
    List<Parameter> parts = new ArrayList<>();
    long at = 0;
    for (Layer layer : layers) {
      Tensor part = weight.slice(0, at, at += layer.outFeatures());
      parts.add(parameter(layer.name() + ".weight", part, part.shape()));
    }
    return linear(weight, parts, bias(layers), activation);
  }

  private Linear linear(Tensor weight, List<Parameter> parts, Tensor bias, Activation activation) {
    return own(new TrainableLinear(weight, parts, bias, activation, storage, between));
  }

  /** The biases of layers, one after another; null where none has one. */
  private Tensor bias(List<Layer> layers) {
    if (layers.stream().noneMatch(Layer::bias)) {
      return null;
    }
    Tensor all = own(Tensor.zeros(device, layers.stream().mapToLong(Layer::outFeatures).sum()));
    long at = 0;
    for (Layer layer : layers) {
      Tensor part = all.slice(0, at, at += layer.outFeatures());
      if (layer.bias()) {
        parameter(layer.name() + ".bias", part, part.shape());
      }
    }
    return all;
  }

  @Override
  public Linear linear(Layer layer, long inFeatures, String bias) {
    Parameter weight = parameter(layer.name() + ".weight", layer.outFeatures(), inFeatures);
    Tensor shift = tensor(bias, layer.outFeatures());
    return linear(weight.tensor(), List.of(weight), shift, Activation.NONE);
  }

  @Override
  public Linear composed(
      long outFeatures, Supplier<Tensor> weight, Supplier<Tensor> bias, Activation activation) {
    return new ComposedLinear(outFeatures, weight, bias, activation, storage, between);
  }

  @Override
  public Linear linear(String name, long inFeatures, float[] bias, Activation activation) {
    throw new UnsupportedOperationException(
        "layer %s: its bias is of no parameters, expected composed".formatted(name));
  }

  @Override
  public Linear linear(Tensor weight, float[] bias, Activation activation) {
    throw new UnsupportedOperationException(
        "layer of %s: it is of no parameters, expected composed".formatted(weight));
  }

  @Override
  public Linear exactLinear(Layer layer, long inFeatures, Activation activation) {
    Parameter weight = parameter(layer.name() + ".weight", layer.outFeatures(), inFeatures);
    return own(
        new TrainableLinear(
            weight.tensor(), List.of(weight), null, activation, Storage.F32, DType.F32));
  }

  @Override
  public ExpertsLinear experts(List<List<Layer>> experts, long inFeatures) {
    long out = experts.getFirst().stream().mapToLong(Layer::outFeatures).sum();
    Tensor all = own(Tensor.empty(device, DType.F32, experts.size(), out, inFeatures));
    List<Parameter> parts = new ArrayList<>();
    List<Tensor> weights = each(all);
    for (int e = 0; e < experts.size(); e++) {
      Tensor expert = weights.get(e);
      long at = 0;
      for (Layer layer : experts.get(e)) {
        Tensor part = expert.slice(0, at, at += layer.outFeatures());
        parts.add(parameter(layer.name() + ".weight", part, part.shape()));
      }
    }
    return own(new TrainableExperts(weights, parts, storage, between));
  }

  /** The experts' weights in one memory. */
  private static List<Tensor> each(Tensor all) {
    return LongStream.range(0, all.size(0))
        .mapToObj(e -> all.slice(0, e, e + 1).reshape(all.size(1), all.size(2)))
        .toList();
  }

  /**
   * {@return layers of experts that training leaves as they are where no token is theirs}
   *
   * @param experts the layer of each, of one width
   * @param inFeatures of each layer
   */
  public ExpertsLinear separateExperts(List<Layer> experts, long inFeatures) {
    List<Parameter> parts =
        experts.stream()
            .map(layer -> parameter(layer.name() + ".weight", layer.outFeatures(), inFeatures))
            .toList();
    List<Tensor> weights = parts.stream().map(Parameter::tensor).toList();
    return own(new TrainableExperts(weights, parts, storage, between));
  }

  @Override
  public ExpertsLinear experts(List<List<Layer>> experts, long inFeatures, float[] bias) {
    if (bias == null) {
      return experts(experts, inFeatures);
    }
    throw new UnsupportedOperationException("experts: their biases are of no parameters");
  }

  @Override
  public ExpertsLinear transposedExperts(
      FusedExperts all,
      long outFeatures,
      long inFeatures,
      float[] bias,
      UnaryOperator<Tensor> rows) {
    if (bias != null || rows != null) {
      throw new UnsupportedOperationException(
          "experts %s: their biases are of no parameters, or features have another order"
              .formatted(all.name()));
    }
    Parameter stored = parameter(all.name(), all.shape(inFeatures, outFeatures));
    long[] shape = {outFeatures, inFeatures};
    long[] strides = {1, outFeatures};
    List<Tensor> weights =
        LongStream.range(0, all.experts())
            .mapToObj(e -> stored.tensor().strided(e * inFeatures * outFeatures, shape, strides))
            .toList();
    return own(new TrainableExperts(weights, List.of(stored), storage, between));
  }

  @Override
  public ExpertsLinear fusedExperts(FusedExperts all, long outFeatures, long inFeatures) {
    Parameter stored = parameter(all.name(), all.shape(outFeatures, inFeatures));
    Tensor each = stored.tensor().reshape(all.experts(), outFeatures, inFeatures);
    return own(new TrainableExperts(each(each), List.of(stored), storage, between));
  }

  @Override
  public Linear transposed(Layer layer, long inFeatures, Activation activation) {
    Parameter stored = parameter(layer.name() + ".weight", inFeatures, layer.outFeatures());
    long[] shape = {layer.outFeatures(), inFeatures};
    Tensor weight = stored.tensor().strided(0, shape, new long[] {1, layer.outFeatures()});
    return linear(weight, List.of(stored), bias(List.of(layer)), activation);
  }

  @Override
  public Linear rearranged(
      Layer layer, long inFeatures, Activation activation, UnaryOperator<Tensor> rows) {
    Linear stored = linear(List.of(layer), inFeatures, activation);
    long[] places = new long[Math.toIntExact(layer.outFeatures())];
    LongUnaryOperator order = Reordered.order(device, places.length, rows);
    for (int i = 0; i < places.length; i++) {
      places[i] = order.applyAsLong(i);
    }
    return own(new ReorderedLinear(stored, Ids.of(device, "order", places.length, places)));
  }

  @Override
  public Linear tied(Embedding table, String bias) {
    Parameter weight = tables.get(table);
    if (weight == null) {
      throw new IllegalArgumentException("tied: the table is not of this file");
    }
    Tensor shift = bias == null ? null : tensor(bias, table.rows());
    return linear(weight.tensor(), List.of(weight), shift, Activation.NONE);
  }

  private Parameter parameter(String name, long... shape) {
    Parameter known = parameters.get(name);
    if (known != null) {
      return known;
    }
    return parameter(name, own(Tensor.empty(device, DType.F32, shape)), shape);
  }

  private Parameter parameter(String name, Tensor place, long... shape) {
    fill(place, name, shape);
    Parameter made = new Parameter(name, place);
    if (parameters.putIfAbsent(name, made) != null) {
      throw new IllegalStateException("parameter '%s' has two places".formatted(name));
    }
    return made;
  }

  /** Fills a place with the file's numbers, or a new model's. */
  private void fill(Tensor place, String name, long... shape) {
    String stored = stored(name);
    if (file.names().contains(stored)) {
      int axis = grownAxis(file.get(stored).shape(), shape);
      if (axis >= 0) {
        fillGrown(place, stored, axis);
        return;
      }
      try (Tensor given = wide(floats(stored, shape))) {
        Layouts.copy(given, place);
      }
      return;
    }
    begun.add(name);
    try (Arena arena = Arena.ofShared()) {
      long bytes = place.count() * Float.BYTES;
      MemorySegment numbers = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
      NewWeights.Elements elements = newWeights.elements(name, shape);
      LongStream.range(0, place.count())
          .parallel()
          .forEach(i -> numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, elements.at(i)));
      device.memory().write(numbers, place.operand().buffer(), place.operand().byteOffset());
    }
  }

  /** The axis that is longer than the file's, as all of tokens; -1 where none is. */
  private int grownAxis(long[] stored, long... shape) {
    if (before == after || stored.length != shape.length) {
      return -1;
    }
    int grown = -1;
    for (int axis = 0; axis < shape.length; axis++) {
      if (stored[axis] != shape[axis]) {
        if (grown >= 0 || stored[axis] != before || shape[axis] != after) {
          return -1;
        }
        grown = axis;
      }
    }
    return grown;
  }

  private void fillGrown(Tensor place, String stored, int axis) {
    long[] shape = place.shape();
    shape[axis] = before;
    try (Tensor given = wide(floats(stored, shape));
        Scope _ = Scope.open()) {
      Layouts.copy(given, place.slice(axis, 0, before));
      long[] one = shape.clone();
      one[axis] = 1;
      shape[axis] = after - before;
      Tensor mean = Reductions.mean(given, axis).reshape(one);
      Tensor rest = Elementwise.add(Tensor.zeros(device, shape), mean);
      Layouts.copy(rest, place.slice(axis, before, after));
    }
  }

  /**
   * Everything made, which belongs to the model from now on.
   *
   * @throws WeightsException where the file lacks more than half of the model
   */
  @Override
  public List<AutoCloseable> handOver() {
    if (!isNew() && 2 * begun.size() > parameters.size()) {
      throw new WeightsException(
          "%s: lacks %d of the %d parameters of the model that %s names, such as %s; the file has %d, such as %s"
              .formatted(
                  source,
                  begun.size(),
                  parameters.size(),
                  file.settings(),
                  begun.stream().limit(3).toList(),
                  file.names().size(),
                  file.names().stream().limit(3).toList()));
    }
    if (!isNew() && !begun.isEmpty()) {
      Warnings.ignored(
          "%s: %d parameters are not in the file and begin as a new model's: %s"
              .formatted(source, begun.size(), String.join(", ", begun)));
    }
    return super.handOver();
  }
}
