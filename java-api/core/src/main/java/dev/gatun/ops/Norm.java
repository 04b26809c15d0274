package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** Norms of rows, which are all axes but the last; softmax is one. */
public final class Norm {
  private Norm() {}

  /**
   * What a norm of a sum gives besides.
   *
   * @param y the norm, of x's shape and dtype
   * @param sum {@code x + residual}, the same; or null where nobody asked
   * @param codes of y, or null where nobody asked
   */
  public record Normed(Tensor y, Tensor sum, Quantization.Codes codes) {}

  /**
   * {@code layer_norm(x + residual)} (Ba et al., arXiv 1607.06450).
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns], or null for 1
   * @param bias as weight, or null for 0
   * @param eps added to the variance
   * @return the norm, of x's shape and dtype
   */
  public static Tensor layerNorm(Tensor x, Tensor residual, Tensor weight, Tensor bias, float eps) {
    if (Tape.recording() != null) {
      return layerNorm(x, residual, weight, bias, eps, false, null).y();
    }
    Operand added = Calls.rowsOrNull("layer_norm", residual);
    return Calls.eachRow(
        "layer_norm",
        x,
        (k, in, y) ->
            k.run(
                new LayerNorm(in, added, Calls.operand(weight), Calls.operand(bias), eps, y, null)),
        residual,
        weight,
        bias);
  }

  /**
   * The same with the sum, or codes, or both.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns], or null for 1
   * @param bias as weight, or null for 0
   * @param eps added to the variance
   * @param withSum whether to give the sum too
   * @param codes which codes to give too, or null for none
   * @return the norm, and what was asked for besides
   * @throws UnsupportedOperationException for codes where a tape tracks an input
   */
  public static Normed layerNorm(
      Tensor x,
      Tensor residual,
      Tensor weight,
      Tensor bias,
      float eps,
      boolean withSum,
      Quantization.Offsets codes) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("layer_norm", x, residual, weight, bias);
    requireNoCodes("layer_norm", node, codes);
    Normed normed =
        normed(
            "layer_norm",
            x,
            residual,
            withSum || node != null && residual != null,
            codes,
            (in, added, y, sum, to) ->
                x.device()
                    .kernels()
                    .run(
                        new LayerNorm(
                            in,
                            added,
                            Calls.operand(weight),
                            Calls.operand(bias),
                            eps,
                            y,
                            sum,
                            to)),
            weight,
            bias);
    if (node == null) {
      return normed;
    }
    Tensor sum = normed.sum == null ? x : normed.sum;
    NormGradients.layerNorm(node, sum, weight, eps, normed.y, withSum ? normed.sum : null);
    return recorded(normed, withSum);
  }

  /** What was asked for; a sum that was made for the backward alone is the node's. */
  private static Normed recorded(Normed normed, boolean withSum) {
    if (withSum || normed.sum == null) {
      return normed;
    }
    normed.sum.close();
    return new Normed(normed.y, null, null);
  }

  private static void requireNoCodes(String op, Node node, Quantization.Offsets codes) {
    if (node != null && codes != null) {
      throw new UnsupportedOperationException(
          op + ": an input is tracked, and the codes of the norm have no gradient");
    }
  }

  /**
   * {@code rms_norm(x + residual)} (Zhang and Sennrich, arXiv 1910.07467).
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns]
   * @param shift added to the weight: 0, or 1 where a model keeps the weight's distance from 1
   * @param eps added to the mean square
   * @return the norm, of x's shape and dtype
   */
  public static Tensor rmsNorm(Tensor x, Tensor residual, Tensor weight, float shift, float eps) {
    if (Tape.recording() != null) {
      return rmsNorm(x, residual, weight, shift, eps, false, null).y();
    }
    Operand added = Calls.rowsOrNull("rms_norm", residual);
    return Calls.eachRow(
        "rms_norm",
        x,
        (k, in, y) -> k.run(new RmsNorm(in, added, Calls.operand(weight), shift, eps, y, null)),
        residual,
        weight);
  }

  /**
   * The same with the sum, or codes, or both.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns]
   * @param shift added to the weight: 0, or 1 where a model keeps the weight's distance from 1
   * @param eps added to the mean square
   * @param withSum whether to give the sum too, the residual stream of a decoder
   * @param codes which codes to give too, or null for none
   * @return the norm, and what was asked for besides
   * @throws UnsupportedOperationException for codes where a tape tracks an input
   */
  public static Normed rmsNorm(
      Tensor x,
      Tensor residual,
      Tensor weight,
      float shift,
      float eps,
      boolean withSum,
      Quantization.Offsets codes) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("rms_norm", x, residual, weight);
    requireNoCodes("rms_norm", node, codes);
    Normed normed =
        normed(
            "rms_norm",
            x,
            residual,
            withSum || node != null && residual != null,
            codes,
            (in, added, y, sum, to) ->
                x.device()
                    .kernels()
                    .run(new RmsNorm(in, added, Calls.operand(weight), shift, eps, y, sum, to)),
            weight);
    if (node == null) {
      return normed;
    }
    Tensor sum = normed.sum == null ? x : normed.sum;
    NormGradients.rmsNorm(node, sum, weight, shift, eps, normed.y, withSum ? normed.sum : null);
    return recorded(normed, withSum);
  }

  /**
   * {@link #layerNorm} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns], or null for 1
   * @param bias as weight, or null for 0
   * @param eps added to the variance
   * @param withSum whether to give the sum too
   * @param codes which codes to give too, or null for none
   * @return the norm, and what was asked for besides
   */
  public static Normed plainLayerNorm(
      Tensor x,
      Tensor residual,
      Tensor weight,
      Tensor bias,
      float eps,
      boolean withSum,
      Quantization.Offsets codes) {
    try (Scope scope = Scope.open()) {
      Tensor sum = sum(x, residual);
      Tensor about = Elementwise.subtract(sum, Plain.meanOfRows(sum));
      // Where the values lie far from 0, rounding moves the mean.
      Tensor centred = Elementwise.subtract(about, Plain.meanOfRows(about));
      Tensor variance = Plain.meanOfRows(Elementwise.multiply(centred, centred));
      Tensor y = Elementwise.divideByRoot(centred, Plain.plus(variance, eps));
      y = weight == null ? y : Elementwise.multiply(y, Plain.wide(weight));
      y = bias == null ? y : Elementwise.add(y, Plain.wide(bias));
      return given(scope, x, y, withSum ? sum : null, codes);
    }
  }

  /**
   * {@link #rmsNorm} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param residual of x's shape and dtype, or null for none
   * @param weight F32 or of x's dtype [columns]
   * @param shift added to the weight: 0, or 1 where a model keeps the weight's distance from 1
   * @param eps added to the mean square
   * @param withSum whether to give the sum too
   * @param codes which codes to give too, or null for none
   * @return the norm, and what was asked for besides
   */
  public static Normed plainRmsNorm(
      Tensor x,
      Tensor residual,
      Tensor weight,
      float shift,
      float eps,
      boolean withSum,
      Quantization.Offsets codes) {
    try (Scope scope = Scope.open()) {
      Tensor sum = sum(x, residual);
      Tensor square = Plain.meanOfRows(Elementwise.multiply(sum, sum));
      Tensor y = Elementwise.divideByRoot(sum, Plain.plus(square, eps));
      y = Elementwise.multiply(y, Plain.plus(Plain.wide(weight), shift));
      return given(scope, x, y, withSum ? sum : null, codes);
    }
  }

  private static Tensor sum(Tensor x, Tensor residual) {
    Tensor wide = Plain.wide(x);
    return residual == null ? wide : Elementwise.add(wide, Plain.wide(residual));
  }

  private static Normed given(
      Scope scope, Tensor x, Tensor y, Tensor sum, Quantization.Offsets codes) {
    Tensor rounded = Elementwise.cast(y, x.dtype());
    return new Normed(
        scope.keep(rounded),
        sum == null ? null : scope.keep(Plain.own(x, Elementwise.cast(sum, x.dtype()))),
        codes == null ? null : Quantization.plainQuantizeTokens(rounded, codes).keptBy(scope));
  }

  /** A norm's call with all that it may write. */
  private interface Full {
    void run(Operand x, Operand residual, Operand y, Operand sum, TokenCodes codes);
  }

  private static Normed normed(
      String op,
      Tensor x,
      Tensor residual,
      boolean withSum,
      Quantization.Offsets offsets,
      Full norm,
      Tensor... others) {
    Operand rows = Calls.rows(op, x).operand();
    Operand added = Calls.rowsOrNull(op, residual);
    try (Scope scope = Scope.open()) {
      Tensor y = Tensor.empty(x.device(), x.dtype(), x.shape());
      Tensor sum = withSum ? Tensor.empty(x.device(), x.dtype(), x.shape()) : null;
      Quantization.Codes codes = offsets == null ? null : Quantization.Codes.empty(x, offsets);
      norm.run(
          rows,
          added,
          Calls.rows(op, y).operand(),
          Calls.rowsOrNull(op, sum),
          codes == null ? null : codes.target(op));
      Calls.fence(x, residual, sum);
      Calls.fence(others);
      return new Normed(scope.keep(y), scope.keep(sum), codes == null ? null : codes.keptBy(scope));
    }
  }

  /**
   * {@code x / max(‖x‖₂, 1e-12)} of each row, as PyTorch's {@code normalize}.
   *
   * @param x F32, BF16 or F16 [..., columns], without gaps
   * @return of x's shape and dtype
   */
  public static Tensor l2Normalize(Tensor x) {
    return l2Normalize(x, 1e-12f);
  }

  /**
   * The same with another smallest divisor.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param eps the smallest divisor, not negative
   * @return of x's shape and dtype
   */
  public static Tensor l2Normalize(Tensor x, float eps) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("l2_normalize", x);
    Tensor y =
        Calls.eachRow("l2_normalize", x, (k, in, out) -> k.run(new L2Normalize(in, eps, out)));
    if (node != null) {
      NormGradients.l2Normalize(node, x, eps, y);
    }
    return y;
  }

  /** The L2 norm of each row of x in F32, which stays with a length of 1. */
  static Tensor lengths(Tensor x) {
    Tensor squares = Plain.sumOfRows(Elementwise.multiply(x, x));
    Tensor one = Plain.number(x.device(), 1);
    return Elementwise.divide(one, Elementwise.divideByRoot(one, squares));
  }

  /**
   * {@link #l2Normalize(Tensor, float)} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param eps the smallest divisor, not negative
   * @return of x's shape and dtype
   */
  public static Tensor plainL2Normalize(Tensor x, float eps) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Plain.wide(x);
      Tensor divisor = Elementwise.maximum(lengths(wide), Plain.number(x.device(), eps));
      return scope.keep(Elementwise.cast(Elementwise.divide(wide, divisor), x.dtype()));
    }
  }

  /**
   * {@code exp(x) / Σ exp(x)} along the last axis; NaN where all of a row is -∞.
   *
   * @param x F32, BF16 or F16 [..., columns], without gaps
   * @return of x's shape and dtype
   */
  public static Tensor softmax(Tensor x) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("softmax", x);
    Tensor y = Calls.eachRow("softmax", x, (k, in, out) -> k.run(new Softmax(in, false, out)));
    if (node != null) {
      NormGradients.softmax(node, y);
    }
    return y;
  }

  /**
   * The natural logarithm of {@link #softmax}.
   *
   * @param x F32, BF16 or F16 [..., columns], without gaps
   * @return of x's shape and dtype
   */
  public static Tensor logSoftmax(Tensor x) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("log_softmax", x);
    Tensor y = Calls.eachRow("log_softmax", x, (k, in, out) -> k.run(new Softmax(in, true, out)));
    if (node != null) {
      NormGradients.logSoftmax(node, y);
    }
    return y;
  }
}
