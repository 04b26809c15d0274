package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.QuantizedTokens;

/** Makes numbers signed bytes, a scale a token or a block. */
final class CudaTokens {
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
          CudaMemory.address(codes),
          CudaMemory.address(c.meaning().scales()),
          CudaMemory.address(c.meaning().offsets()),
          codes.stride(0),
          c.calibrated(),
          words);
    }

    /** Adds it. */
    Arguments add(Arguments arguments) {
      return arguments
          .begin(Declarations.TokenCodes.STRUCT)
          .set(Declarations.TokenCodes.CODES, codes)
          .set(Declarations.TokenCodes.SCALES, scales)
          .set(Declarations.TokenCodes.OFFSETS, offsets)
          .set(Declarations.TokenCodes.STRIDE, stride)
          .set(Declarations.TokenCodes.CALIBRATED, calibrated)
          .set(Declarations.TokenCodes.WORDS, words)
          .end();
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
        Math.ceilDiv(paddedK, launcher.threads("quantize_blocks")),
        1,
        arguments(x, to, paddedK, paddedRows));
  }

  private Arguments arguments(Operand x, Target to, long paddedK, long paddedRows) {
    long k = x.size(1);
    // What a block keeps of a row while it looks for the scale.
    long most = 8L * Declarations.ACTIVATIONS_KEPT * launcher.threads("quantize_tokens");
    boolean kept = k % 8 == 0 && k <= most && Vectors.haveAlignedRows(x);
    Arguments arguments =
        launcher
            .arguments()
            .begin(QuantizedTokens.STRUCT)
            .set(QuantizedTokens.X, x)
            .set(QuantizedTokens.X_STRIDE, x.stride(0))
            .set(QuantizedTokens.K, k)
            .set(QuantizedTokens.PADDED_K, paddedK)
            .set(QuantizedTokens.PADDED_ROWS, paddedRows)
            .set(QuantizedTokens.X_DTYPE, dtype(x.dtype()))
            .set(QuantizedTokens.KEPT, kept)
            .end();
    return to.add(arguments);
  }
}
