package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Tensor;

/**
 * {@code activation(x weightᵀ + bias)}, the weight packed once.
 *
 * <p>Layers that are side by side on the same input are one where their weights can be, and else a
 * {@link JoinedLinear}.
 */
public sealed interface Linear extends AutoCloseable
    permits DenseLinear,
        QuantizedLinear,
        BlockLinear,
        JoinedLinear,
        ObservedLinear,
        ComposedLinear,
        TrainableLinear,
        ReorderedLinear {
  /**
   * {@return the layer with its weight kept as F32}
   *
   * @param weight F32, BF16 or F16 [out_features, in_features]; not needed afterwards
   * @param bias F32 [out_features], owned from now on; or null
   * @param activation what becomes of its results
   * @throws IllegalArgumentException where the bias is not of the weight's rows
   */
  static Linear of(Tensor weight, Tensor bias, Activation activation) {
    return of(weight, bias, activation, Storage.F32, Compute.EXACT);
  }

  /**
   * {@return the layer with a weight of floats, which is quantised where it is kept in blocks}
   *
   * @param weight F32, BF16 or F16 [out_features, in_features]; not needed afterwards
   * @param bias F32 [out_features], owned from now on; or null
   * @param activation what becomes of its results
   * @param storage what the weight is kept as; blocks must divide in_features
   * @param compute how its product computes
   * @throws IllegalArgumentException where the bias is not of the weight's rows, or products with
   *     such weights cannot compute so
   */
  static Linear of(
      Tensor weight, Tensor bias, Activation activation, Storage storage, Compute compute) {
    if (bias != null
        && (bias.rank() != 1 || weight.rank() == 2 && bias.size(0) != weight.size(0))) {
      throw new IllegalArgumentException(
          "linear: bias is %s, expected [out_features] of weight %s".formatted(bias, weight));
    }
    compute.requireFits(storage);
    Tensor packed = Packing.pack(weight, storage);
    return packed(
        packed,
        storage,
        weight.size(0),
        null,
        bias,
        activation,
        compute.activations(),
        compute.between(storage));
  }

  /**
   * {@return the layer with a weight of floats that is not packed, for products to read as it lies}
   *
   * @param weight F32, BF16 or F16 [out_features, in_features], owned from now on; it may be a
   *     mapped file's own bytes
   * @param bias F32 [out_features], owned from now on; or null
   * @param activation what becomes of its results
   * @param between see {@link #between}
   */
  static Linear inRows(Tensor weight, Tensor bias, Activation activation, DType between) {
    return new DenseLinear(weight, bias, weight.size(0), activation, between);
  }

  /**
   * {@return the layer with a weight that is packed already}
   *
   * @param packed as {@link Packing} gives it, owned from now on
   * @param storage of the packed weight
   * @param outFeatures of the weight
   * @param order I64 [in_features], the input feature at each place of the weight's rows, owned
   *     from now on; null where each is its own, as it is in dense weights
   * @param bias F32 [out_features], owned from now on; or null
   * @param activation what becomes of its results
   * @param activations what becomes of its input where the weight is in blocks
   * @param between see {@link #between}
   */
  static Linear packed(
      Tensor packed,
      Storage storage,
      long outFeatures,
      Tensor order,
      Tensor bias,
      Activation activation,
      QuantizedActivations activations,
      DType between) {
    return switch (storage) {
      case Storage.Dense _ -> new DenseLinear(packed, bias, outFeatures, activation, between);
      case Storage.Blocks(var format) ->
          new QuantizedLinear(
              packed, format, activations, order, bias, outFeatures, activation, between);
    };
  }

  /**
   * {@return what the layer makes of x, [..., out_features]}
   *
   * @param x [..., in_features]
   * @param dtype of the result: F32; also BF16 or F16 where the weight is not kept as F32
   */
  Tensor forward(Tensor x, DType dtype);

  /**
   * {@return the same in F32, [..., out_features]}
   *
   * @param x [..., in_features]
   */
  default Tensor forward(Tensor x) {
    return forward(x, DType.F32);
  }

  /**
   * {@return the same for what products alone will read, attention's among them: [...,
   * out_features], as narrow as they take it without loss, {@link #between}}
   *
   * @param x [..., in_features]
   */
  default Tensor forwardNarrow(Tensor x) {
    return forward(x, between());
  }

  /**
   * {@return the same of what a norm made for this layer}
   *
   * @param x [..., in_features], with codes of it where the layer {@link #takesCodes takes} them
   */
  default Tensor forwardNarrow(LayerInput x) {
    return forward(x.x(), between());
  }

  /** {@return what its result is kept as where only products read it: F32 or BF16} */
  DType between();

  /** {@return the last axis of what it gives} */
  long outFeatures();

  /**
   * {@return the same layer of what a dropout leaves of its input, where training changes it; else
   * this one}
   *
   * @param dropout of the numbers of its input
   */
  default Linear withInputDropout(Dropout dropout) {
    return this;
  }

  /**
   * {@return the same layer with a dropout of its results, where training changes it; else this
   * one}
   *
   * @param dropout of the numbers of its results
   */
  default Linear withOutputDropout(Dropout dropout) {
    return this;
  }

  /**
   * {@return whether the layer makes codes of its input a token at a time, and so may be given
   * them}
   */
  default boolean takesCodes() {
    return false;
  }

  /** {@return whether these codes have offsets} */
  default boolean takesOffsets() {
    return false;
  }

  @Override
  void close();
}
