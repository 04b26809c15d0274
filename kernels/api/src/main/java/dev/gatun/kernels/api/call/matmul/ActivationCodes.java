package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * What activations that are signed bytes mean: {@code x[m, k] = offsets[m] + scales[m] codes[m,
 * k]}, codes from -127 to 127.
 *
 * @param scales F32 [rows], or [1] where all tokens share one; contiguous
 * @param offsets F32 of the scales' shape, contiguous, or null where all are 0
 */
public record ActivationCodes(Operand scales, Operand offsets) {
  private static final String NAME = "activation codes";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ActivationCodes {
    Checks.operand(NAME, "scales", scales, DType.F32, 1);
    Checks.contiguous(NAME, "scales", scales);
    if (offsets != null) {
      Checks.shaped(NAME, "offsets", offsets, DType.F32, scales.size(0));
      Checks.contiguous(NAME, "offsets", offsets);
    }
  }

  /** Requires a scale for each of so many rows, or one for all. */
  void check(String kernel, long rows) {
    if (scales.size(0) != rows && scales.size(0) != 1) {
      throw Checks.bad(kernel, "scales is %s, expected shape [%d] or [1]", scales, rows);
    }
  }

  /** The scales, and the offsets where there are any. */
  List<Operand> operands() {
    return Checks.present(scales, offsets);
  }
}
