package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RmsNorm;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.FusedExperts;
import dev.gatun.weights.Loader;
import dev.gatun.weights.ParameterLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A model's weights by the names that they have below a prefix.
 *
 * @param scored whether a decoder has scores of what follows
 */
record Weights(Loader loader, String prefix, boolean scored) {
  /** All weights. */
  Weights(Loader loader) {
    this(loader, "", true);
  }

  /** The same of a decoder whose hidden states are all that is read. */
  Weights withoutScores() {
    return new Weights(loader, prefix, false);
  }

  /** The weights whose names begin with {@code name.}. */
  Weights sub(String name) {
    return new Weights(loader, prefix + name + ".", scored);
  }

  /** The body's weights, whose names begin with its own name or with nothing. */
  Weights body(String name) {
    return loader.hasBody(prefix + name + ".") ? sub(name) : this;
  }

  /** Whether a weight is there, as it is or quantised. */
  boolean has(String name) {
    return loader.has(prefix + name);
  }

  /** Whether the file has a weight whose numbers are not those of another. */
  boolean hasOther(String name, String other) {
    return loader.hasOther(prefix + name, prefix + other);
  }

  /** Whether any weight begins with {@code name.}. */
  boolean hasAny(String name) {
    return loader.hasAny(prefix + name + ".");
  }

  /** Whether the model is made of parameters, which change. */
  boolean areParameters() {
    return loader instanceof ParameterLoader;
  }

  Device device() {
    return loader.device();
  }

  /** A weight of this shape as F32, owned by the model. */
  Tensor take(String name, long... shape) {
    return loader.tensor(prefix + name, shape);
  }

  /** The same of what training leaves as it is. */
  Tensor constant(String name, long... shape) {
    return loader.constant(prefix + name, shape);
  }

  /** The few elements of a weight of this shape. */
  float[] elements(String name, long... shape) {
    return loader.elements(prefix + name, shape);
  }

  /** The table {@code name.weight} [rows, features]. */
  Embedding embedding(String name, long rows, long features) {
    return loader.embedding(prefix + name + ".weight", rows, features);
  }

  /** The same of what training leaves as it is. */
  Embedding constantEmbedding(String name, long rows, long features) {
    return loader.constantEmbedding(prefix + name + ".weight", rows, features);
  }

  /** A table that the model put together. */
  Embedding table(float[] values, long rows, long features) {
    return loader.table(values, rows, features);
  }

  /** A layer with {@code name.weight} and, if wanted, {@code name.bias}. */
  Linear linear(String name, long out, long in, boolean bias, Activation activation) {
    return loader.linear(new Loader.Layer(prefix + name, out, bias), in, activation);
  }

  Linear linear(String name, long out, long in) {
    return linear(name, out, in, true, Activation.NONE);
  }

  /** A layer with {@code name.weight} and no bias, kept and computed in F32 whatever others are. */
  Linear exactLinear(String name, long out, long in, Activation activation) {
    return loader.exactLinear(new Loader.Layer(prefix + name, out, false), in, activation);
  }

  /**
   * The layers {@code experts.N.name} of each expert of a mixture, an expert's as one, their
   * outputs side by side.
   */
  ExpertsLinear experts(int experts, long outEach, long in, String... names) {
    return experts(null, experts, outEach, in, names);
  }

  /**
   * The same with biases that the model put together.
   *
   * @param bias [experts, out of all of an expert's]; or null
   */
  ExpertsLinear experts(float[] bias, int experts, long outEach, long in, String... names) {
    List<List<Loader.Layer>> all = new ArrayList<>();
    for (int e = 0; e < experts; e++) {
      List<Loader.Layer> each = new ArrayList<>();
      for (String name : names) {
        String full = "%sexperts.%d.%s".formatted(prefix, e, name);
        each.add(new Loader.Layer(full, outEach, bias != null));
      }
      all.add(each);
    }
    return bias == null ? loader.experts(all, in) : loader.experts(all, in, bias);
  }

  /** The layers of a name that has each expert's number in it, each a module of its own. */
  ExpertsLinear expertsNamed(String pattern, int experts, long out, long in) {
    List<Loader.Layer> all = new ArrayList<>();
    for (int e = 0; e < experts; e++) {
      all.add(new Loader.Layer(prefix + pattern.formatted(e), out, false));
    }
    return loader instanceof ParameterLoader parameters
        ? parameters.separateExperts(all, in)
        : loader.experts(all.stream().map(List::of).toList(), in);
  }

  /** The same of one tensor [experts, out, in] of that name. */
  ExpertsLinear fusedExperts(String name, int experts, long out, long in) {
    return loader.fusedExperts(new FusedExperts(prefix + name, experts, false), out, in);
  }

  /** The same of one tensor [experts * out, in] of that name. */
  ExpertsLinear flatExperts(String name, int experts, long out, long in) {
    return loader.fusedExperts(new FusedExperts(prefix + name, experts, true), out, in);
  }

  /** The same of one tensor [experts * in, out] of that name. */
  ExpertsLinear flatTransposedExperts(String name, int experts, long out, long in) {
    FusedExperts all = new FusedExperts(prefix + name, experts, true);
    return loader.transposedExperts(all, out, in, null, null);
  }

  /**
   * The same of one tensor [experts, in, out] of that name.
   *
   * @param bias [experts, out]
   * @param rows gives a tensor of an expert as [out, in], in a new one
   */
  ExpertsLinear transposedExperts(
      String name, long out, long in, float[] bias, UnaryOperator<Tensor> rows) {
    FusedExperts all = new FusedExperts(prefix + name, Math.toIntExact(bias.length / out), false);
    return loader.transposedExperts(all, out, in, bias, rows);
  }

  /** A layer with {@code name.weight} and a bias that the model put together. */
  Linear linear(String name, long in, float[] bias) {
    return loader.linear(prefix + name, in, bias, Activation.NONE);
  }

  /** A layer from elements in memory; bias may be null. */
  Linear linear(float[] weight, long out, long in, float[] bias, Activation activation) {
    try (Tensor tensor = Tensor.of(device(), weight, out, in)) {
      return loader.linear(tensor, bias, activation);
    }
  }

  /** Layers of the same width and input as one layer, their outputs side by side. */
  Linear joined(long outEach, long in, String... names) {
    List<Loader.Layer> layers = new ArrayList<>();
    for (String name : names) {
      layers.add(new Loader.Layer(prefix + name, outEach, true));
    }
    return loader.linear(layers, in, Activation.NONE);
  }

  /** A layer whose weight the file has as [in, out], as those of GPT and GPT-2. */
  Linear conv1d(String name, long out, long in, Activation activation) {
    return loader.transposed(new Loader.Layer(prefix + name, out, true), in, activation);
  }

  /**
   * The joined projection of queries, keys and values of a file that has, for each group of heads,
   * its queries' heads, a key's head and a value's: here all queries, then all keys, then all
   * values.
   *
   * @param groups of heads, one a head of keys
   * @param each the queries' heads of a group
   */
  Linear grouped(String name, int groups, int each, int headSize, long in, boolean bias) {
    long out = (each + 2L) * groups * headSize;
    return loader.rearranged(
        new Loader.Layer(prefix + name, out, bias),
        in,
        Activation.NONE,
        rows -> {
          long columns = rows.size(1);
          long head = headSize * columns;
          Tensor all = rows.reshape(groups, each + 2, head);
          Tensor ordered = Tensor.empty(rows.device(), rows.dtype(), out, columns);
          long[] firsts = {0, each, each + 1};
          long place = 0;
          for (int part = 0; part < firsts.length; part++) {
            long count = part == 0 ? each : 1;
            Layouts.copy(
                all.slice(1, firsts[part], firsts[part] + count),
                ordered.strided(
                    place, new long[] {groups, count, head}, new long[] {count * head, head, 1}));
            place += groups * count * head;
          }
          return ordered;
        });
  }

  /** Layers with the same input as one layer, their outputs side by side. */
  Linear joined(long in, Loader.Layer... layers) {
    List<Loader.Layer> all = new ArrayList<>();
    for (Loader.Layer layer : layers) {
      all.add(new Loader.Layer(prefix + layer.name(), layer.outFeatures(), layer.bias()));
    }
    return loader.linear(all, in, Activation.NONE);
  }

  /** The output layer of a decoder that is its own, with a bias where the file has one. */
  Linear lmHead(String name, long rows, long features) {
    return linear(name, rows, features, has(name + ".bias"), Activation.NONE);
  }

  /** The output layer that is tied to an embedding table, with a bias of its own where there is. */
  Linear tied(Embedding table, String bias) {
    return loader.tied(table, bias != null && has(bias) ? prefix + bias : null);
  }

  /** An output layer of its own, with a bias that lies elsewhere in the file. */
  Linear output(String name, long rows, long features, String bias) {
    return loader.linear(new Loader.Layer(prefix + name, rows, false), features, prefix + bias);
  }

  /** {@code name.weight}, to which the shift is added. */
  RmsNorm rmsNorm(String name, long size, float shift, double eps) {
    return new RmsNorm(take(name + ".weight", size), shift, (float) eps);
  }

  /** {@code name.weight} alone. */
  LayerNorm layerNormWithoutBias(String name, long size, double eps) {
    return new LayerNorm(take(name + ".weight", size), null, (float) eps);
  }

  /** {@code name.weight} and {@code name.bias}, or their old names gamma and beta. */
  LayerNorm layerNorm(String name, long size, double eps) {
    boolean old = !has(name + ".weight") && has(name + ".gamma");
    return new LayerNorm(
        take(name + (old ? ".gamma" : ".weight"), size),
        take(name + (old ? ".beta" : ".bias"), size),
        (float) eps);
  }

  /** The same, with a shift or without. */
  LayerNorm layerNorm(String name, long size, double eps, boolean bias) {
    return bias ? layerNorm(name, size, eps) : layerNormWithoutBias(name, size, eps);
  }

  /** The weights that nobody took; fails when some are not those of other heads. */
  List<String> unused(Predicate<String> ofOtherHeads) {
    return loader.unused(ofOtherHeads);
  }
}
