package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.Operand;

/**
 * Normalisations and softmax: by the kernels that keep a row in registers where it fits and lies as
 * they need it, else by those that read it again.
 */
final class CudaNorms {
  private static final int WARP = 32;

  private final Launcher launcher;
  private final CudaNormGradients backward;

  CudaNorms(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.backward = new CudaNormGradients(launcher, memory);
  }

  void run(NormCall call) {
    switch (call) {
      case L2Normalize c -> l2Normalize(c);
      case LayerNorm c -> layerNorm(c);
      case LayerNormBackward c -> backward.layerNorm(c);
      case RmsNorm c -> rmsNorm(c);
      case RmsNormBackward c -> backward.rmsNorm(c);
      case Softmax c -> softmax(c);
      case SoftmaxBackward c -> backward.softmax(c);
    }
  }

  private void layerNorm(LayerNorm c) {
    Operand parameters = c.weight() != null ? c.weight() : c.bias() != null ? c.bias() : c.x();
    boolean kept = isKept("layer_norm", c.x(), c.residual(), c.weight(), c.bias(), c.y(), c.sum());
    Arguments arguments = launcher.with(c.x(), c.residual(), c.weight(), c.bias(), c.y(), c.sum());
    if (!kept) {
      arguments.integer(dtype(c.x().dtype()));
    }
    arguments.integer(dtype(parameters.dtype())).number(c.x().size(1)).real(c.eps());
    launch(withCodes("layer_norm", kept, c.codes(), arguments), kept, c.x(), arguments);
  }

  private void rmsNorm(RmsNorm c) {
    boolean kept = isKept("rms_norm", c.x(), c.residual(), c.weight(), c.y(), c.sum());
    Arguments arguments = launcher.with(c.x(), c.residual(), c.weight(), c.y(), c.sum());
    if (!kept) {
      arguments.integer(dtype(c.x().dtype()));
    }
    arguments.integer(dtype(c.weight().dtype())).number(c.x().size(1));
    arguments.real(c.shift()).real(c.eps());
    launch(withCodes("rms_norm", kept, c.codes(), arguments), kept, c.x(), arguments);
  }

  private void l2Normalize(L2Normalize c) {
    launcher.rows(
        "l2_normalize",
        c.x().size(0),
        launcher
            .with(c.x(), c.y())
            .integer(dtype(c.x().dtype()))
            .number(c.x().size(1))
            .real(c.eps()));
  }

  private void softmax(Softmax c) {
    boolean kept = isKept("softmax", c.x(), c.y());
    Arguments arguments = launcher.with(c.x(), c.y());
    if (!kept) {
      arguments.integer(dtype(c.x().dtype()));
    }
    arguments.integer(c.log() ? 1 : 0).number(c.x().size(1));
    if (kept) {
      launch("softmax", true, c.x(), arguments);
    } else {
      launcher.rows("softmax", c.x().size(0), threadsOfLongRows(c.x()), arguments);
    }
  }

  /** Of a block of softmax.cu: as many as have four vectors of a row each, in whole warps. */
  static int threadsOfLongRows(Operand x) {
    long warps = Math.ceilDiv(x.size(1), 4L * Vectors.lanes(x) * WARP);
    return Math.clamp(warps * WARP, WARP, 1024);
  }

  private void launch(String kernel, boolean kept, Operand x, Arguments arguments) {
    if (kept) {
      // As many warps as have something to keep, each thread little before a thread much.
      long warps = Math.ceilDiv(x.size(1), (long) Vectors.lanes(x) * WARP);
      String typed = kernel + Vectors.suffix(x.dtype());
      int threads = (int) Math.min(launcher.threads(typed), warps * WARP);
      launcher.rows(typed, x.size(0), threads, arguments);
    } else {
      launcher.rows(kernel, x.size(0), arguments);
    }
  }

  /** Adds where codes go to the arguments of the kernel that takes it, whose name it gives. */
  private static String withCodes(
      String kernel, boolean kept, TokenCodes codes, Arguments arguments) {
    if (kept && codes == null) {
      return kernel;
    }
    CudaTokens.Target.of(codes).add(arguments);
    return kept ? kernel + "_codes" : kernel;
  }

  /**
   * Whether a block of a kernel can keep the rows of the first operand, and all are aligned to 16
   * bytes.
   */
  private boolean isKept(String kernel, Operand... operands) {
    int threads = launcher.threads(kernel + Vectors.suffix(operands[0].dtype()));
    long columns = operands[0].size(1);
    int lanes = Vectors.lanes(operands[0]);
    long most = (long) lanes * threads * Declarations.KEPT_ROWS_KEPT;
    boolean kept = columns > 0 && columns % lanes == 0 && columns <= most;
    return kept && Vectors.areAligned(operands);
  }
}
