package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongBinaryOperator;

/**
 * Mixtures of experts: tokens are {@link #route routed}, go through the linear layers of their
 * experts in the order of these, and what comes out is {@link #combine combined}. Nothing of it is
 * read back between.
 */
public final class Experts {
  private Experts() {}

  /**
   * Which experts each token has. A slot is a token and one of its k experts; slots lie in the
   * order of the experts, and those of an expert in the order of tokens.
   *
   * @param experts I32 [tokens, k], those chosen, the largest logit first
   * @param weights F32 [tokens, k], what they weigh
   * @param rows I32 [tokens * k], the token at each place; -1 behind the last
   * @param places I32 [tokens, k], the place of each slot; -1 where it was dropped
   * @param offsets I32 [experts + 1], where each expert's places begin
   */
  public record Routing(Tensor experts, Tensor weights, Tensor rows, Tensor places, Tensor offsets)
      implements AutoCloseable {
    @Override
    public void close() {
      experts.close();
      weights.close();
      rows.close();
      places.close();
      offsets.close();
    }
  }

  /**
   * Gives each token its k experts, those of its largest logits.
   *
   * @param logits F32, BF16 or F16 [tokens, experts]
   * @param k experts of a token, from 1 to all of them
   * @param renormalize whether a token's weights are the softmax over its own experts' logits, and
   *     not their parts of the softmax over all
   * @param scale of the weights
   * @param capacity of each expert, or null for as much as comes
   * @return which experts each token has; closing it closes its tensors
   */
  public static Routing route(
      Tensor logits, long k, boolean renormalize, float scale, ExpertCapacity capacity) {
    Calls.axes("expert_routing", "logits", logits, 2);
    long tokens = logits.size(0);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("expert_routing", logits);
    long[][] shapes = {{tokens, k}, {tokens, k}, {tokens * k}, {tokens, k}, {logits.size(1) + 1}};
    List<Tensor> results = new ArrayList<>();
    boolean done = false;
    try {
      for (int i = 0; i < shapes.length; i++) {
        results.add(Tensor.empty(logits.device(), i == 1 ? DType.F32 : DType.I32, shapes[i]));
      }
      Routing routing =
          new Routing(
              results.get(0), results.get(1), results.get(2), results.get(3), results.get(4));
      logits
          .device()
          .kernels()
          .run(
              new ExpertRouting(
                  logits.operand(),
                  renormalize,
                  scale,
                  capacity,
                  routing.experts.operand(),
                  routing.weights.operand(),
                  routing.rows.operand(),
                  routing.places.operand(),
                  routing.offsets.operand()));
      if (node != null) {
        ExpertGradients.route(node, logits, renormalize, scale, routing);
      }
      done = true;
      return routing;
    } finally {
      if (!done) {
        results.forEach(Tensor::close);
      }
      Calls.fence(logits);
    }
  }

  /**
   * The experts' weights, each [out_features, in_features], in the form that {@link #linear} takes.
   *
   * @param weights one an expert, each F32, BF16 or F16 [out_features, in_features], of one shape
   * @param dtype F32, BF16 or F16
   * @return of dtype, one expert's after another
   * @throws IllegalArgumentException when there are none, or their shapes differ
   * @throws UnsupportedOperationException when a tape tracks one of them
   */
  public static Tensor pack(List<Tensor> weights, DType dtype) {
    return joined(
        "matmul_pack",
        weights,
        dtype,
        (out, in) -> MatmulPack.packedCount(dtype, out, in),
        (k, weight, packed) ->
            k.run(
                new MatmulPack(
                    weight.strided(0, shape(weight), strides(weight)).operand(),
                    packed.operand())));
  }

  /**
   * The same of weights that are quantised on the way.
   *
   * @param weights one an expert, each F32, BF16 or F16 [out_features, in_features], of one shape
   * @param format of the blocks, whose length divides in_features
   * @return U8, one expert's after another
   * @throws IllegalArgumentException when there are none, their shapes differ, or the format's
   *     block does not divide in_features
   * @throws UnsupportedOperationException when a tape tracks one of them
   */
  public static Tensor pack(List<Tensor> weights, BlockFormat format) {
    return joined(
        "quantized_pack",
        weights,
        DType.U8,
        (out, in) -> weights.getFirst().device().kernels().layout(format).packedBytes(out, in),
        (k, weight, packed) -> {
          try (Tensor blocks = Quantization.quantize(weight, format)) {
            k.run(
                new QuantizedPack(
                    format, k.layout(format), weight.size(1), blocks.operand(), packed.operand()));
          }
        });
  }

  /** The shape of a weight as that of one expert. */
  private static long[] shape(Tensor weight) {
    return new long[] {1, weight.size(0), weight.size(1)};
  }

  private static long[] strides(Tensor weight) {
    return new long[] {0, weight.operand().stride(0), weight.operand().stride(1)};
  }

  /** Packs a weight to where it belongs. */
  private interface Pack {
    void run(Kernels kernels, Tensor weight, Tensor packed);
  }

  /** Packed weights of one shape, one after another. */
  private static Tensor joined(
      String op, List<Tensor> weights, DType dtype, LongBinaryOperator size, Pack pack) {
    if (weights.isEmpty()) {
      throw new IllegalArgumentException(op + ": there are no weights, expected one an expert");
    }
    weights.forEach(weight -> Tape.refuse(op, weight));
    Tensor first = weights.getFirst();
    for (Tensor weight : weights) {
      Calls.axes(op, "weight", weight, 2);
      if (weight.size(0) != first.size(0) || weight.size(1) != first.size(1)) {
        throw new IllegalArgumentException(
            "%s: weights %s and %s have different shapes".formatted(op, first, weight));
      }
    }
    long each = size.applyAsLong(first.size(0), first.size(1));
    return Calls.run(
        Tensor.empty(first.device(), dtype, Math.multiplyExact(weights.size(), each)),
        (k, all) -> {
          for (int e = 0; e < weights.size(); e++) {
            pack.run(k, weights.get(e), all.slice(0, e * each, (e + 1) * each));
          }
        },
        weights.toArray(Tensor[]::new));
  }

  /**
   * {@code activation(x weightᵀ + bias)} by each expert for the rows of its own places.
   *
   * @param x [tokens, in_features], or [places, in_features] in the order of the experts
   * @param rows the routing's where the rows of x are tokens, which are then gathered; or null
   * @param routing whose offsets say which places are an expert's
   * @param packed the experts' weights as {@link #pack} gives them
   * @param bias F32 [experts, out_features], or null for none
   * @param outFeatures rows of an expert's weight
   * @param activation applied to each element
   * @param dtype of the result: F32; also BF16 or F16 where the weights are not F32
   * @return [places, out_features]; undefined behind the last place
   * @throws UnsupportedOperationException when a tape tracks an input, since packed weights have no
   *     gradients
   */
  public static Tensor linear(
      Tensor x,
      Tensor rows,
      Routing routing,
      Tensor packed,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    refuse("grouped_matmul by packed weights alone", x, packed, bias);
    return product(x, rows, routing, packed, bias, outFeatures, activation, dtype);
  }

  private static void refuse(String op, Tensor x, Tensor packed, Tensor bias) {
    Tape.refuse(op, x);
    Tape.refuse(op, packed);
    Tape.refuse(op, bias);
  }

  /**
   * The same with the weights in rows besides, which the gradients are computed with and belong to.
   * Where it is recorded the activation is an op of its own.
   *
   * @param x [tokens, in_features], or [places, in_features] in the order of the experts
   * @param rows the routing's where the rows of x are tokens, which are then gathered; or null
   * @param routing whose offsets say which places are an expert's
   * @param packed the numbers of the weights as {@link #pack} gives them, which only the product
   *     reads
   * @param weights of the experts, each F32, BF16 or F16 [out_features, in_features]
   * @param bias F32 [experts, out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32; also BF16 or F16 where the packed weights are not F32
   * @return [places, out_features]; undefined behind the last place
   */
  public static Tensor linear(
      Tensor x,
      Tensor rows,
      Routing routing,
      Tensor packed,
      List<Tensor> weights,
      Tensor bias,
      Activation activation,
      DType dtype) {
    long outFeatures = weights.getFirst().size(0);
    Tape tape = Tape.recording();
    Node node = null;
    if (tape != null) {
      List<Tensor> inputs = new ArrayList<>(Arrays.asList(x, bias));
      inputs.addAll(weights);
      node = tape.node("grouped_matmul", inputs.toArray(Tensor[]::new));
    }
    if (node == null) {
      return product(x, rows, routing, packed, bias, outFeatures, activation, dtype);
    }
    Tensor y = product(x, rows, routing, packed, bias, outFeatures, Activation.NONE, dtype);
    ExpertGradients.linear(node, x, rows, routing, weights, bias, y);
    if (activation == Activation.NONE) {
      return y;
    }
    try (y) {
      return Elementwise.activation(y, activation);
    }
  }

  private static Tensor product(
      Tensor x,
      Tensor rows,
      Routing routing,
      Tensor packed,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    return Calls.run(
        Tensor.empty(x.device(), dtype, routing.rows.size(0), outFeatures),
        (k, y) ->
            k.run(
                new GroupedMatmul(
                    x.operand(),
                    Calls.operand(rows),
                    routing.offsets.operand(),
                    packed.operand(),
                    Calls.operand(bias),
                    activation,
                    y.operand())),
        x,
        rows,
        routing.offsets,
        packed,
        bias);
  }

  /**
   * The same with quantised weights.
   *
   * @param x F32, BF16 or F16 [tokens, in_features], or [places, in_features] in the order of the
   *     experts
   * @param rows the routing's where the rows of x are tokens, which are then gathered; or null
   * @param routing whose offsets say which places are an expert's
   * @param packed U8, the experts' weights as {@link #pack(List, BlockFormat)} gives them
   * @param format of the weights
   * @param activations what becomes of x
   * @param bias F32 [experts, out_features], or null for none
   * @param outFeatures rows of an expert's weight
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [places, out_features]; undefined behind the last place
   * @throws UnsupportedOperationException when a tape tracks an input
   */
  public static Tensor linear(
      Tensor x,
      Tensor rows,
      Routing routing,
      Tensor packed,
      BlockFormat format,
      QuantizedActivations activations,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    refuse("grouped_quantized_matmul", x, packed, bias);
    return Calls.run(
        Tensor.empty(x.device(), dtype, routing.rows.size(0), outFeatures),
        (k, y) ->
            k.run(
                new GroupedQuantizedMatmul(
                    k.layout(format),
                    activations,
                    x.operand(),
                    Calls.operand(rows),
                    routing.offsets.operand(),
                    packed.operand(),
                    Calls.operand(bias),
                    activation,
                    y.operand())),
        x,
        rows,
        routing.offsets,
        packed,
        bias);
  }

  /**
   * What the experts gave for each token, weighted and added up in the order of its experts.
   *
   * @param x F32, BF16 or F16 [places, columns] in the order of the experts
   * @param routing whose weights and places say what each token gets
   * @param residual [tokens, columns] of the result's dtype, added to it; or null
   * @param dtype of the result: F32, BF16 or F16
   * @return [tokens, columns]
   */
  public static Tensor combine(Tensor x, Routing routing, Tensor residual, DType dtype) {
    Calls.axes("expert_combine", "x", x, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("expert_combine", x, routing.weights, residual);
    Tensor combined =
        Calls.run(
            Tensor.empty(x.device(), dtype, routing.places.size(0), x.size(1)),
            (k, y) ->
                k.run(
                    new ExpertCombine(
                        x.operand(),
                        routing.weights.operand(),
                        routing.places.operand(),
                        Calls.operand(residual),
                        y.operand())),
            x,
            routing.weights,
            routing.places,
            residual);
    if (node != null) {
      ExpertGradients.combine(node, x, routing, combined);
    }
    return combined;
  }

  /**
   * {@link #combine} in simple ops.
   *
   * @param x F32, BF16 or F16 [places, columns] in the order of the experts
   * @param routing whose weights and places say what each token gets
   * @param residual [tokens, columns] of the result's dtype, added to it; or null
   * @param dtype of the result: F32, BF16 or F16
   * @return [tokens, columns]
   */
  public static Tensor plainCombine(Tensor x, Routing routing, Tensor residual, DType dtype) {
    try (Scope scope = Scope.open()) {
      Tensor places = Plain.wide(routing.places);
      long tokens = places.size(0);
      long k = places.size(1);
      Tensor y =
          residual == null ? Tensor.zeros(x.device(), tokens, x.size(1)) : Plain.wide(residual);
      if (x.size(0) > 0 && places.count() > 0) {
        Tensor zero = Plain.number(x.device(), 0);
        Tensor there = Plain.not(Elementwise.less(places, zero)).reshape(tokens, k, 1);
        Tensor rows =
            Indexing.indexSelect(
                Layouts.contiguous(x), 0, Plain.ids(Elementwise.maximum(places, zero), x.size(0)));
        Tensor each = Elementwise.keepWhere(Plain.wide(rows).reshape(tokens, k, x.size(1)), there);
        Tensor weighed = Elementwise.multiply(each, routing.weights.reshape(tokens, k, 1));
        y = Elementwise.add(y, Reductions.sum(weighed, 1));
      }
      return scope.keep(Plain.own(residual == null ? x : residual, Elementwise.cast(y, dtype)));
    }
  }

  /**
   * {@link #route} in simple ops.
   *
   * @param logits F32, BF16 or F16 [tokens, experts]
   * @param k experts of a token, from 1 to all of them
   * @param renormalize whether a token's weights are the softmax over its own experts' logits, and
   *     not their parts of the softmax over all
   * @param scale of the weights
   * @param capacity of each expert, or null for as much as comes
   * @return which experts each token has; closing it closes its tensors
   */
  public static Routing plainRoute(
      Tensor logits, long k, boolean renormalize, float scale, ExpertCapacity capacity) {
    Calls.axes("expert_routing", "logits", logits, 2);
    try (Scope scope = Scope.open()) {
      Routing routing = new PlainRouting(logits, k).run(renormalize, scale, capacity);
      scope.keep(routing.experts);
      scope.keep(routing.weights);
      scope.keep(routing.rows);
      scope.keep(routing.places);
      scope.keep(routing.offsets);
      return routing;
    }
  }

  /**
   * {@link #linear(Tensor, Tensor, Routing, Tensor, Tensor, long, Activation, DType)} in simple
   * ops; 0 behind the last place.
   *
   * @param x [tokens, in_features], or [places, in_features] in the order of the experts
   * @param rows the routing's where the rows of x are tokens, which are then gathered; or null
   * @param routing whose offsets say which places are an expert's
   * @param weights of the experts, each F32, BF16 or F16 [out_features, in_features], not packed
   * @param bias F32 [experts, out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [places, out_features]
   */
  public static Tensor plainLinear(
      Tensor x,
      Tensor rows,
      Routing routing,
      List<Tensor> weights,
      Tensor bias,
      Activation activation,
      DType dtype) {
    return eachExpert(
        x,
        rows,
        routing,
        weights.size(),
        (given, e) -> Matmul.plainLinear(given, weights.get(e), row(bias, e), activation, dtype));
  }

  /**
   * The same with quantised weights.
   *
   * @param x [tokens, in_features], or [places, in_features] in the order of the experts
   * @param rows the routing's where the rows of x are tokens, which are then gathered; or null
   * @param routing whose offsets say which places are an expert's
   * @param weights of the experts, each F32 [out_features, in_features], as {@link
   *     Quantization#dequantize} gives it
   * @param withSums whether the packed weights have sums, so that codes of tokens have offsets
   * @param activations what becomes of x
   * @param bias F32 [experts, out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [places, out_features]
   */
  public static Tensor plainLinear(
      Tensor x,
      Tensor rows,
      Routing routing,
      List<Tensor> weights,
      boolean withSums,
      QuantizedActivations activations,
      Tensor bias,
      Activation activation,
      DType dtype) {
    return eachExpert(
        x,
        rows,
        routing,
        weights.size(),
        (given, e) ->
            Quantization.plainLinear(
                given, weights.get(e), withSums, activations, row(bias, e), activation, dtype));
  }

  private static Tensor row(Tensor bias, int expert) {
    return bias == null ? null : bias.slice(0, expert, expert + 1L).reshape(bias.size(1));
  }

  /** An expert's product of all places. */
  private interface Product {
    Tensor of(Tensor x, int expert);
  }

  private static Tensor eachExpert(
      Tensor x, Tensor rows, Routing routing, int experts, Product product) {
    try (Scope scope = Scope.open()) {
      Tensor given = Layouts.contiguous(x);
      long places = rows == null ? x.size(0) : rows.count();
      Tensor zero = Plain.number(x.device(), 0);
      if (rows != null && x.size(0) > 0) {
        Tensor row = Elementwise.maximum(Plain.wide(rows), zero);
        given = Indexing.indexSelect(given, 0, Plain.ids(row, x.size(0)));
      }
      Tensor offsets = Plain.wide(routing.offsets);
      Tensor place = Plain.count(x.device(), places).reshape(places, 1);
      Tensor y = null;
      for (int e = 0; e < experts; e++) {
        Tensor before = Elementwise.less(place, offsets.slice(0, e, e + 1L));
        Tensor until = Elementwise.less(place, offsets.slice(0, e + 1L, e + 2L));
        Tensor all = product.of(given, e);
        Tensor mine =
            Elementwise.keepWhere(
                all, Elementwise.cast(Elementwise.subtract(until, before), all.dtype()));
        y = y == null ? mine : Elementwise.add(y, mine);
      }
      return scope.keep(y);
    }
  }
}
