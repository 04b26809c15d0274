package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.memory.Operand;

/** Makes numbers signed bytes, a scale a token or a block. */
final class CudaTokens {
  private static final int THREADS = 256;
  // Numbers of a row that a block keeps while it looks for the scale.
  private static final int MOST_KEPT = 4 * 8 * THREADS;

  private final Launcher launcher;

  CudaTokens(Launcher launcher) {
    this.launcher = launcher;
  }

  /**
   * Where codes go.
   *
   * @param offsets 0 for none
   * @param stride of rows of codes
   * @param words whether four neighbours may be written at once
   */
  record Target(
      long codes, long scales, long offsets, long stride, boolean calibrated, boolean words) {
    static final Target NONE = new Target(0, 0, 0, 0, false, false);

    static Target of(TokenCodes c) {
      if (c == null) {
        return NONE;
      }
      Operand codes = c.codes();
      boolean words =
          Vectors.areAligned(codes)
              && codes.size(1) % 4 == 0
              && (codes.size(0) <= 1 || codes.stride(0) % 4 == 0);
      return new Target(
          address(codes),
          address(c.meaning().scales()),
          address(c.meaning().offsets()),
          codes.stride(0),
          c.calibrated(),
          words);
    }

    /** Adds the fields of {@code TokenCodes} in token_codes.h. */
    Arguments fields(Arguments arguments) {
      return arguments
          .address(codes)
          .address(scales)
          .address(offsets)
          .number(stride)
          .integer(calibrated ? 1 : 0)
          .integer(words ? 1 : 0);
    }
  }

  void run(QuantizeTokens c) {
    tokens(c.x(), Target.of(c.codes()), c.x().size(1));
  }

  /** Makes each row codes, with zeros up to so many. */
  void tokens(Operand x, Target to, long paddedK) {
    launcher.rows("quantize_tokens", x.size(0), arguments(x, to, paddedK, 0));
  }

  /** The same with a scale for each block of a row, [blocks, paddedRows]. */
  void blocks(Operand x, Target to, long paddedK, long paddedRows) {
    launcher.launch(
        "quantize_blocks",
        x.size(0),
        Math.ceilDiv(paddedK, 8 * QuantizedMatmul.BLOCK),
        1,
        0,
        arguments(x, to, paddedK, paddedRows));
  }

  private Arguments arguments(Operand x, Target to, long paddedK, long paddedRows) {
    long k = x.size(1);
    boolean kept = k % 8 == 0 && k <= MOST_KEPT && Vectors.haveAlignedRows(x);
    return to.fields(launcher.arguments().begin().operand(x))
        .numbers(x.stride(0), k, paddedK, paddedRows)
        .integer(dtype(x.dtype()))
        .integer(kept ? 1 : 0)
        .end();
  }

  private static long address(Operand operand) {
    return operand == null ? 0 : CudaMemory.address(operand.buffer()) + operand.byteOffset();
  }
}
