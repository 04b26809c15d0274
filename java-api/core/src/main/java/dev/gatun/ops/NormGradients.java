package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.tensor.Tensor;

/**
 * The gradients of {@link Norm}. Mean and deviation are computed again from what was normalised,
 * which is all that is kept.
 */
final class NormGradients {
  private NormGradients() {}

  /**
   * Records a norm of rows.
   *
   * @param node with the inputs x, residual, weight, and bias where there may be one
   * @param summed what was normalised: x, or x + residual
   * @param y the norm
   * @param sum the sum where it was asked for, with a gradient of its own; or null
   */
  static void layerNorm(Node node, Tensor summed, Tensor weight, float eps, Tensor y, Tensor sum) {
    Tensor s = node.save(summed);
    Tensor w = node.save(weight);
    node.record(
        () -> {
          Tensor dy = node.gradient(0);
          Tensor dSum = sum == null ? null : node.gradient(1);
          if (dy == null) {
            giveBoth(node, dSum);
            return;
          }
          boolean ofSum = node.needs(0) || node.needs(1);
          NormBackward.Gradients all =
              NormBackward.layerNormBackward(
                  Plain.wide(dy),
                  Plain.wide(s),
                  Plain.wideOrNull(w),
                  eps,
                  Plain.wideOrNull(dSum),
                  new NormBackward.Wanted(ofSum, node.needs(2), node.needs(3)));
          give(node, all);
        },
        y,
        sum);
  }

  /** The same of {@link Norm#rmsNorm}. */
  static void rmsNorm(
      Node node, Tensor summed, Tensor weight, float shift, float eps, Tensor y, Tensor sum) {
    Tensor s = node.save(summed);
    Tensor w = node.save(weight);
    node.record(
        () -> {
          Tensor dy = node.gradient(0);
          Tensor dSum = sum == null ? null : node.gradient(1);
          if (dy == null) {
            giveBoth(node, dSum);
            return;
          }
          boolean ofSum = node.needs(0) || node.needs(1);
          NormBackward.Gradients all =
              NormBackward.rmsNormBackward(
                  Plain.wide(dy),
                  Plain.wide(s),
                  Plain.wide(w),
                  shift,
                  eps,
                  Plain.wideOrNull(dSum),
                  new NormBackward.Wanted(ofSum, node.needs(2), false));
          give(node, all);
        },
        y,
        sum);
  }

  private static void give(Node node, NormBackward.Gradients all) {
    if (all.x() != null) {
      giveBoth(node, all.x());
    }
    if (all.weight() != null) {
      node.give(2, all.weight());
    }
    if (all.bias() != null) {
      node.give(3, all.bias());
    }
  }

  private static void giveBoth(Node node, Tensor gradient) {
    node.give(0, gradient);
    node.give(1, gradient);
  }

  /** Records {@code y = x / max(‖x‖, eps)}: rows below eps are divided by a constant. */
  static void l2Normalize(Node node, Tensor x, float eps, Tensor y) {
    Tensor kept = node.save(x);
    node.record(
        () -> {
          Tensor dy = node.gradient();
          Tensor wide = Plain.wide(kept);
          Tensor norm = Norm.lengths(wide);
          Tensor least = Plain.number(wide.device(), eps);
          Tensor divisor = Elementwise.maximum(norm, least);
          Tensor normed = Elementwise.divide(wide, divisor);
          Tensor along = Plain.sumOfRows(Elementwise.multiply(dy, normed));
          along = Elementwise.keepWhere(along, Elementwise.less(least, norm));
          Tensor rest = Elementwise.subtract(dy, Elementwise.multiply(normed, along));
          node.give(0, Elementwise.divide(rest, divisor));
        },
        y);
  }

  /** Records a softmax: {@code dx = y (dy - Σ dy y)}. */
  static void softmax(Node node, Tensor y) {
    Tensor kept = node.save(y);
    node.record(
        () ->
            node.give(
                0, NormBackward.softmaxBackward(Plain.wide(node.gradient()), Plain.wide(kept))),
        y);
  }

  /** Records its logarithm: {@code dx = dy - exp(y) Σ dy}. */
  static void logSoftmax(Node node, Tensor y) {
    Tensor kept = node.save(y);
    node.record(
        () ->
            node.give(
                0, NormBackward.logSoftmaxBackward(Plain.wide(node.gradient()), Plain.wide(kept))),
        y);
  }
}
