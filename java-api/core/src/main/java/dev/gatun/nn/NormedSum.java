package dev.gatun.nn;

import dev.gatun.ops.Norm;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * A residual stream and its norm, which the next part of a pre-norm model reads.
 *
 * @param x the norm of the sum
 * @param sum the stream itself
 */
public record NormedSum(LayerInput x, Tensor sum) {
  /** A norm's call. */
  interface Call {
    Norm.Normed run(boolean withSum, Quantization.Offsets codes);
  }

  /**
   * @param residual added to x, or null
   * @param next the layer that may take codes, or null
   */
  static NormedSum of(Tensor x, Tensor residual, Linear next, Call norm) {
    Quantization.Offsets codes =
        next == null || !next.takesCodes()
            ? null
            : next.takesOffsets() ? Quantization.Offsets.OF_TOKENS : Quantization.Offsets.NONE;
    Norm.Normed normed = norm.run(residual != null, codes);
    return new NormedSum(
        new LayerInput(normed.y(), normed.codes()), residual == null ? x : normed.sum());
  }

  /**
   * Moves it out of a scope.
   *
   * @param scope in which it was made
   * @return this
   */
  public NormedSum keptBy(Scope scope) {
    scope.keep(x.x());
    if (x.codes() != null) {
      scope.keep(x.codes().codes());
      scope.keep(x.codes().scales());
      scope.keep(x.codes().offsets());
    }
    scope.keep(sum);
    return this;
  }

  /** Gives the norm's memory back; the stream stays. */
  public void closeNorm() {
    x.x().close();
    if (x.codes() != null) {
      x.codes().codes().close();
      x.codes().scales().close();
      if (x.codes().offsets() != null) {
        x.codes().offsets().close();
      }
    }
  }
}
