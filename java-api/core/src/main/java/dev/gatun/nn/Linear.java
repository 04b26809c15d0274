package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Ops;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** {@code activation(x weightᵀ + bias)}, the weight packed once. */
public final class Linear implements AutoCloseable {
  private final Tensor packed;
  private final BlockFormat format;
  private final QuantizedActivations activations;
  private final Tensor order;
  private final Tensor bias;
  private final long outFeatures;
  private final Activation activation;
  private final DType between;
  private final List<Linear> parts;

  /** The layer with its weight kept as F32. */
  public Linear(Tensor weight, Tensor bias, Activation activation) {
    this(weight, bias, activation, WeightType.F32);
  }

  /**
   * @param weight [out_features, in_features]; not needed afterwards
   * @param bias [out_features], owned from now on; or null
   * @param type what the weight is kept as; a quantised one's block must divide in_features
   */
  public Linear(Tensor weight, Tensor bias, Activation activation, WeightType type) {
    this(
        pack(checked(weight, bias), type),
        type.format(),
        type.activations(),
        null,
        bias,
        weight.size(0),
        activation,
        type.between(),
        List.of());
  }

  private Linear(
      Tensor packed,
      BlockFormat format,
      QuantizedActivations activations,
      Tensor order,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType between,
      List<Linear> parts) {
    this.packed = packed;
    this.format = format;
    this.activations = activations;
    this.order = order;
    this.bias = bias;
    this.outFeatures = outFeatures;
    this.activation = activation;
    this.between = between;
    this.parts = parts;
  }

  /**
   * The layer with a weight that is quantised already.
   *
   * @param blocks U8 [out_features, row_bytes]; not needed afterwards
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @param order I64 [in_features], the input feature that each element of a row belongs to, owned
   *     from now on; or null where each is its own
   * @param bias [out_features], owned from now on; or null
   * @param type of the layers beside it: gives the activations, exact ones where it has none
   */
  public static Linear quantized(
      Tensor blocks,
      BlockFormat format,
      long inFeatures,
      Tensor order,
      Tensor bias,
      Activation activation,
      WeightType type) {
    checked(blocks, bias);
    if (order != null && (order.rank() != 1 || order.size(0) != inFeatures)) {
      throw new IllegalArgumentException(
          "linear: order is %s, expected [%d]".formatted(order, inFeatures));
    }
    return new Linear(
        Quantization.pack(blocks, format, inFeatures),
        format,
        type.isQuantized() ? type.activations() : QuantizedActivations.EXACT,
        order,
        bias,
        blocks.size(0),
        activation,
        type.between(),
        List.of());
  }

  /**
   * Layers with the same input as one, their outputs side by side.
   *
   * @param parts at least one, owned from now on
   */
  public static Linear beside(List<Linear> parts) {
    return new Linear(
        null,
        null,
        null,
        null,
        null,
        parts.stream().mapToLong(Linear::outFeatures).sum(),
        Activation.NONE,
        parts.getFirst().between,
        List.copyOf(parts));
  }

  private static Tensor checked(Tensor weight, Tensor bias) {
    if (bias != null
        && (bias.rank() != 1 || weight.rank() == 2 && bias.size(0) != weight.size(0))) {
      throw new IllegalArgumentException(
          "linear: bias is %s, expected [out_features] of weight %s".formatted(bias, weight));
    }
    return weight;
  }

  private static Tensor pack(Tensor weight, WeightType type) {
    if (!type.isQuantized()) {
      return Ops.pack(weight, type.dtype());
    }
    try (Tensor blocks = Quantization.quantize(weight, type.format())) {
      return Quantization.pack(blocks, type.format(), weight.size(1));
    }
  }

  /** x [..., in_features] to F32 [..., out_features]. */
  public Tensor forward(Tensor x) {
    return forward(x, DType.F32);
  }

  /**
   * The same for what products alone will read, attention's among them: as narrow as they take it
   * without loss, {@link WeightType#between}.
   */
  public Tensor forwardNarrow(Tensor x) {
    return forward(x, between);
  }

  /** The same of what a norm made for this layer. */
  public Tensor forwardNarrow(LayerInput x) {
    return x.codes() == null
        ? forward(x.x(), between)
        : Quantization.linear(x.codes(), packed, format, bias, outFeatures, activation, between);
  }

  /** Whether the layer makes codes of its input a token at a time, and so may be given them. */
  boolean takesCodes() {
    return activations == QuantizedActivations.INT8_PER_TOKEN && order == null;
  }

  /** Whether these codes have offsets. */
  boolean takesOffsets() {
    return format.layout().scales() == PackedLayout.Scales.F32_SUM;
  }

  private Tensor forward(Tensor x, DType dtype) {
    if (!parts.isEmpty()) {
      return Layouts.concat(-1, parts.stream().map(part -> part.forward(x, dtype)).toList());
    }
    if (format == null) {
      return Ops.linear(x, packed, bias, outFeatures, activation, dtype);
    }
    if (order == null) {
      return quantized(x, dtype);
    }
    Tensor whole = x.operand().isContiguous() ? x : Layouts.contiguous(x);
    try (Tensor ordered = Indexing.indexSelect(whole, -1, order)) {
      return quantized(ordered, dtype);
    }
  }

  private Tensor quantized(Tensor x, DType dtype) {
    return Quantization.linear(
        x, packed, format, activations, bias, outFeatures, activation, dtype);
  }

  public long outFeatures() {
    return outFeatures;
  }

  @Override
  public void close() {
    parts.forEach(Linear::close);
    for (Tensor part : new Tensor[] {packed, order, bias}) {
      if (part != null) {
        part.close();
      }
    }
  }
}
