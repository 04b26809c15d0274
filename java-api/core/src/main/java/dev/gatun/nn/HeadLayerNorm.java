package dev.gatun.nn;

import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Tensor;

/**
 * Layer normalisation of heads, each with a scale of its own and no shift.
 *
 * @param weight F32 [heads, head_size]
 * @param eps added to the variance
 */
public record HeadLayerNorm(Tensor weight, float eps) implements HeadNorm {
  @Override
  public Tensor ofHeads(Tensor x) {
    Tensor normed = Norm.layerNorm(Layouts.contiguous(x), null, null, null, eps);
    return Elementwise.multiply(normed, Elementwise.cast(weight, x.dtype()));
  }
}
