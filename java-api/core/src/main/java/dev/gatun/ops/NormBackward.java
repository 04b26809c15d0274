package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** The gradients of {@link Norm}, which have none themselves: they refuse what a tape tracks. */
public final class NormBackward {
  private NormBackward() {}

  /**
   * Which gradients of a norm are computed.
   *
   * @param x whether that of what was normalised is
   * @param weight whether that of the weight is
   * @param bias whether that of the bias is, which a norm without one does not have
   */
  public record Wanted(boolean x, boolean weight, boolean bias) {}

  /**
   * The gradients of a norm, null where they were not wanted.
   *
   * @param x of what was normalised, of its shape and dtype
   * @param weight F32 [columns]
   * @param bias F32 [columns]
   */
  public record Gradients(Tensor x, Tensor weight, Tensor bias) {
    private Gradients keptBy(Scope scope) {
      return new Gradients(scope.keep(x), scope.keep(weight), scope.keep(bias));
    }
  }

  /**
   * The gradients of {@link Norm#layerNorm} (Ba et al., arXiv 1607.06450); mean and variance are
   * computed again.
   *
   * @param dy the gradient of the norm, F32, BF16 or F16 [..., columns]
   * @param x what was normalised, the sum where there was a residual: of dy's shape and dtype
   * @param weight F32 or of x's dtype [columns], or null for 1
   * @param eps added to the variance
   * @param added the gradient that x has besides, of dy's shape and dtype; or null for none
   * @param wanted which to compute, one at least
   * @return those that were wanted
   * @throws UnsupportedOperationException when a tape tracks an input
   */
  public static Gradients layerNormBackward(
      Tensor dy, Tensor x, Tensor weight, float eps, Tensor added, Wanted wanted) {
    return run(
        "layer_norm_backward",
        dy,
        x,
        weight,
        added,
        wanted,
        (g, in, besides, dx, dweight, dbias) ->
            dy.device()
                .kernels()
                .run(
                    new LayerNormBackward(
                        g, in, Calls.operand(weight), eps, besides, dx, dweight, dbias)));
  }

  /**
   * The gradients of {@link Norm#rmsNorm} (Zhang and Sennrich, arXiv 1910.07467); the mean square
   * is computed again.
   *
   * @param dy the gradient of the norm, F32, BF16 or F16 [..., columns]
   * @param x what was normalised, the sum where there was a residual: of dy's shape and dtype
   * @param weight F32 or of x's dtype [columns]
   * @param shift added to the weight
   * @param eps added to the mean square
   * @param added the gradient that x has besides, of dy's shape and dtype; or null for none
   * @param wanted which to compute, x or the weight at least; there is no bias
   * @return those that were wanted
   * @throws UnsupportedOperationException when a tape tracks an input
   */
  public static Gradients rmsNormBackward(
      Tensor dy, Tensor x, Tensor weight, float shift, float eps, Tensor added, Wanted wanted) {
    return run(
        "rms_norm_backward",
        dy,
        x,
        weight,
        added,
        new Wanted(wanted.x(), wanted.weight(), false),
        (g, in, besides, dx, dweight, dbias) ->
            dy.device()
                .kernels()
                .run(
                    new RmsNormBackward(
                        g, in, Calls.operand(weight), shift, eps, besides, dx, dweight)));
  }

  private static void refuse(String op, Tensor... inputs) {
    for (Tensor input : inputs) {
      Tape.refuse(op, input);
    }
  }

  /** A backward norm's call with all that it may write. */
  private interface Call {
    void run(Operand dy, Operand x, Operand added, Operand dx, Operand dweight, Operand dbias);
  }

  private static Gradients run(
      String op, Tensor dy, Tensor x, Tensor weight, Tensor added, Wanted wanted, Call call) {
    refuse(op, dy, x, weight, added);
    Operand g = Calls.rows(op, dy).operand();
    Operand in = Calls.rows(op, x).operand();
    Operand besides = Calls.rowsOrNull(op, added);
    try (Scope scope = Scope.open()) {
      long columns = dy.size(-1);
      Gradients to =
          new Gradients(
              wanted.x ? Tensor.empty(dy.device(), dy.dtype(), dy.shape()) : null,
              wanted.weight ? Tensor.empty(dy.device(), DType.F32, columns) : null,
              wanted.bias ? Tensor.empty(dy.device(), DType.F32, columns) : null);
      call.run(
          g,
          in,
          besides,
          Calls.rowsOrNull(op, to.x),
          Calls.operand(to.weight),
          Calls.operand(to.bias));
      Calls.fence(dy, x, weight, added);
      return to.keptBy(scope);
    }
  }

  /**
   * The gradient of {@link Norm#softmax} by its result.
   *
   * @param dy the gradient of y, F32, BF16 or F16 [..., columns]
   * @param y what the softmax gave, of dy's shape and dtype
   * @return the gradient of what the softmax was of, of dy's shape and dtype
   * @throws UnsupportedOperationException when a tape tracks dy or y
   */
  public static Tensor softmaxBackward(Tensor dy, Tensor y) {
    return softmaxBackward("softmax_backward", dy, y, false);
  }

  /**
   * The gradient of {@link Norm#logSoftmax} by its result.
   *
   * @param dy the gradient of y, F32, BF16 or F16 [..., columns]
   * @param y what the logarithm of the softmax gave, of dy's shape and dtype
   * @return the gradient of what it was of, of dy's shape and dtype
   * @throws UnsupportedOperationException when a tape tracks dy or y
   */
  public static Tensor logSoftmaxBackward(Tensor dy, Tensor y) {
    return softmaxBackward("log_softmax_backward", dy, y, true);
  }

  private static Tensor softmaxBackward(String op, Tensor dy, Tensor y, boolean log) {
    refuse(op, dy, y);
    Operand result = Calls.rows(op, y).operand();
    return Calls.eachRow(op, dy, (k, g, dx) -> k.run(new SoftmaxBackward(g, result, log, dx)), y);
  }

  /**
   * {@link #layerNormBackward} in simple ops.
   *
   * @param dy the gradient of the norm, F32, BF16 or F16 [..., columns]
   * @param x what was normalised, the sum where there was a residual: of dy's shape and dtype
   * @param weight F32 or of x's dtype [columns], or null for 1
   * @param eps added to the variance
   * @param added the gradient that x has besides, of dy's shape and dtype; or null for none
   * @param wanted which to compute
   * @return those that were wanted
   */
  public static Gradients plainLayerNormBackward(
      Tensor dy, Tensor x, Tensor weight, float eps, Tensor added, Wanted wanted) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Plain.wide(x);
      // Where the values lie far from 0, rounding moves the mean; rows of one number become 0.
      Tensor about = Elementwise.subtract(wide, wide.slice(-1, 0, Math.min(1, x.size(-1))));
      Tensor centred = Elementwise.subtract(about, Plain.meanOfRows(about));
      Tensor variance = Plain.plus(Plain.meanOfRows(Elementwise.multiply(centred, centred)), eps);
      Tensor g = Plain.wide(dy);
      Tensor weighted = weight == null ? g : Elementwise.multiply(g, Plain.wide(weight));
      Tensor less = Elementwise.subtract(weighted, Plain.meanOfRows(weighted));
      return plain(dy, g, weighted, less, centred, variance, added, wanted).keptBy(scope);
    }
  }

  /**
   * {@link #rmsNormBackward} in simple ops.
   *
   * @param dy the gradient of the norm, F32, BF16 or F16 [..., columns]
   * @param x what was normalised, the sum where there was a residual: of dy's shape and dtype
   * @param weight F32 or of x's dtype [columns]
   * @param shift added to the weight
   * @param eps added to the mean square
   * @param added the gradient that x has besides, of dy's shape and dtype; or null for none
   * @param wanted which to compute; there is no bias
   * @return those that were wanted
   */
  public static Gradients plainRmsNormBackward(
      Tensor dy, Tensor x, Tensor weight, float shift, float eps, Tensor added, Wanted wanted) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Plain.wide(x);
      Tensor square = Plain.plus(Plain.meanOfRows(Elementwise.multiply(wide, wide)), eps);
      Tensor g = Plain.wide(dy);
      Tensor weighted = Elementwise.multiply(g, Plain.plus(Plain.wide(weight), shift));
      Wanted own = new Wanted(wanted.x, wanted.weight, false);
      return plain(dy, g, weighted, weighted, wide, square, added, own).keptBy(scope);
    }
  }

  /**
   * What both norms' gradients are.
   *
   * @param g dy in F32
   * @param weighted g times the weight
   * @param less the same without what its own mean gives, where the norm subtracts a mean
   * @param x what is divided by the root of the square
   */
  private static Gradients plain(
      Tensor dy,
      Tensor g,
      Tensor weighted,
      Tensor less,
      Tensor x,
      Tensor square,
      Tensor added,
      Wanted wanted) {
    Tensor h = Elementwise.divideByRoot(x, square);
    Tensor ofRow = Plain.meanOfRows(Elementwise.multiply(weighted, h));
    Tensor dx =
        Elementwise.divideByRoot(
            Elementwise.subtract(less, Elementwise.multiply(h, ofRow)), square);
    dx = added == null ? dx : Elementwise.add(dx, Plain.wide(added));
    return new Gradients(
        wanted.x ? Elementwise.cast(dx, dy.dtype()) : null,
        wanted.weight ? sumOverRows(Elementwise.multiply(g, h)) : null,
        wanted.bias ? sumOverRows(g) : null);
  }

  private static Tensor sumOverRows(Tensor x) {
    return Reductions.sum(Calls.rows("sum", x), 0);
  }

  /**
   * {@link #softmaxBackward} in simple ops.
   *
   * @param dy the gradient of y, F32, BF16 or F16 [..., columns]
   * @param y what the softmax gave, of dy's shape and dtype
   * @return the gradient of what the softmax was of, of dy's shape and dtype
   */
  public static Tensor plainSoftmaxBackward(Tensor dy, Tensor y) {
    try (Scope scope = Scope.open()) {
      Tensor g = Plain.wide(dy);
      Tensor p = Plain.wide(y);
      Tensor total = Plain.sumOfRows(Elementwise.multiply(g, p));
      Tensor dx = Elementwise.multiply(p, Elementwise.subtract(g, total));
      return scope.keep(Elementwise.cast(dx, dy.dtype()));
    }
  }

  /**
   * {@link #logSoftmaxBackward} in simple ops.
   *
   * @param dy the gradient of y, F32, BF16 or F16 [..., columns]
   * @param y what the logarithm of the softmax gave, of dy's shape and dtype
   * @return the gradient of what it was of, of dy's shape and dtype
   */
  public static Tensor plainLogSoftmaxBackward(Tensor dy, Tensor y) {
    try (Scope scope = Scope.open()) {
      Tensor g = Plain.wide(dy);
      Tensor wide = Plain.wide(y);
      // exp(y), for sigmoid(y) = exp(y) sigmoid(-y).
      Tensor p =
          Elementwise.divide(
              Elementwise.activation(wide, Activation.SIGMOID),
              Elementwise.activation(Plain.negated(wide), Activation.SIGMOID));
      Tensor dx = Elementwise.subtract(g, Elementwise.multiply(p, Plain.sumOfRows(g)));
      return scope.keep(Elementwise.cast(dx, dy.dtype()));
    }
  }
}
