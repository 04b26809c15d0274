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
  static void layerNorm(
      Node node, Tensor summed, Tensor weight, Tensor bias, float eps, Tensor y, Tensor sum) {
    Tensor s = node.save(summed);
    Tensor w = node.save(weight);
    long[] weights = weight == null ? null : weight.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient(0);
          Tensor dSum = sum == null ? null : node.gradient(1);
          if (dy == null) {
            giveBoth(node, dSum);
            return;
          }
          Tensor wide = Plain.wide(s);
          Tensor about = Elementwise.subtract(wide, Plain.meanOfRows(wide));
          // Where the values lie far from 0, rounding moves the mean.
          Tensor centred = Elementwise.subtract(about, Plain.meanOfRows(about));
          Tensor variance = Plain.meanOfRows(Elementwise.multiply(centred, centred));
          Tensor spread = Plain.plus(variance, eps);
          Tensor normed = Elementwise.divideByRoot(centred, spread);
          if (node.needs(0) || node.needs(1)) {
            Tensor g = w == null ? dy : Elementwise.multiply(dy, Plain.wide(w));
            Tensor along = Plain.meanOfRows(Elementwise.multiply(g, normed));
            Tensor rest = Elementwise.subtract(g, Plain.meanOfRows(g));
            rest = Elementwise.subtract(rest, Elementwise.multiply(normed, along));
            giveBoth(node, added(Elementwise.divideByRoot(rest, spread), dSum));
          }
          if (node.needs(2)) {
            node.give(2, ElementwiseGradients.summed(Elementwise.multiply(dy, normed), weights));
          }
          if (node.needs(3)) {
            node.give(3, ElementwiseGradients.summed(dy, dy.size(-1)));
          }
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
          Tensor wide = Plain.wide(s);
          Tensor spread = Plain.plus(Plain.meanOfRows(Elementwise.multiply(wide, wide)), eps);
          Tensor normed = Elementwise.divideByRoot(wide, spread);
          if (node.needs(0) || node.needs(1)) {
            Tensor g = Elementwise.multiply(dy, Plain.plus(Plain.wide(w), shift));
            Tensor along = Plain.meanOfRows(Elementwise.multiply(g, normed));
            Tensor rest = Elementwise.subtract(g, Elementwise.multiply(normed, along));
            giveBoth(node, added(Elementwise.divideByRoot(rest, spread), dSum));
          }
          if (node.needs(2)) {
            node.give(2, ElementwiseGradients.summed(Elementwise.multiply(dy, normed), w.shape()));
          }
        },
        y,
        sum);
  }

  private static Tensor added(Tensor gradient, Tensor more) {
    return more == null ? gradient : Elementwise.add(gradient, more);
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
        () -> {
          Tensor p = Plain.wide(kept);
          Tensor weighed = Elementwise.multiply(node.gradient(), p);
          node.give(
              0, Elementwise.subtract(weighed, Elementwise.multiply(p, Plain.sumOfRows(weighed))));
        },
        y);
  }

  /** Records its logarithm: {@code dx = dy - exp(y) Σ dy}. */
  static void logSoftmax(Node node, Tensor y) {
    Tensor kept = node.save(y);
    node.record(
        () -> {
          Tensor dy = node.gradient();
          Tensor p = Norm.softmax(Plain.wide(kept));
          node.give(0, Elementwise.subtract(dy, Elementwise.multiply(p, Plain.sumOfRows(dy))));
        },
        y);
  }
}
