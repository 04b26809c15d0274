package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.NormGradients;

/** Gradients of normalisations, and of softmax. */
final class CudaNormGradients {
  // Blocks that have sums over rows of their own: as many as are joined in no time, by the shape
  // alone.
  private static final long MOST_BLOCKS = 512;

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaNormGradients(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  /** What both norms have: the operands of rows, the gradients of parameters, and the numbers. */
  private record Norm(
      String kernel,
      Operand dy,
      Operand x,
      Operand weight,
      Operand added,
      Operand dx,
      Operand dweight,
      Operand dbias,
      float eps,
      float shift) {}

  void layerNorm(LayerNormBackward c) {
    run(
        new Norm(
            c.kernel(),
            c.dy(),
            c.x(),
            c.weight(),
            c.added(),
            c.dx(),
            c.dweight(),
            c.dbias(),
            c.eps(),
            0));
  }

  void rmsNorm(RmsNormBackward c) {
    run(
        new Norm(
            c.kernel(),
            c.dy(),
            c.x(),
            c.weight(),
            c.added(),
            c.dx(),
            c.dweight(),
            null,
            c.eps(),
            c.shift()));
  }

  private void run(Norm c) {
    long rows = c.dy().size(0);
    long columns = c.dy().size(1);
    boolean sums = c.dweight() != null || c.dbias() != null;
    long each = sums ? Math.max(1, Math.ceilDiv(rows, MOST_BLOCKS)) : 1;
    long blocks = Math.ceilDiv(rows, each);
    long bytes = Float.BYTES * blocks * columns;
    try (Buffer weights = memory.allocate(c.dweight() == null ? 0 : bytes);
        Buffer biases = memory.allocate(c.dbias() == null ? 0 : bytes)) {
      DType parameters = c.weight() == null ? c.dy().dtype() : c.weight().dtype();
      Arguments arguments =
          launcher
              .arguments()
              .begin(NormGradients.STRUCT)
              .set(NormGradients.DY, c.dy())
              .set(NormGradients.X, c.x())
              .set(NormGradients.ADDED, c.added())
              .set(NormGradients.DX, c.dx())
              .set(NormGradients.DWEIGHT, c.dweight() == null ? 0 : CudaMemory.address(weights))
              .set(NormGradients.DBIAS, c.dbias() == null ? 0 : CudaMemory.address(biases))
              .set(NormGradients.ROWS, rows)
              .set(NormGradients.COLUMNS, columns)
              .set(NormGradients.ROWS_OF_BLOCK, each)
              .set(NormGradients.DTYPE, dtype(c.dy().dtype()))
              .set(NormGradients.PARAMETER_DTYPE, dtype(parameters))
              .set(NormGradients.EPS, c.eps())
              .set(NormGradients.SHIFT, c.shift())
              .end();
      launcher.rows(c.kernel(), blocks, arguments.operand(c.weight()));
      join(weights, c.dweight(), blocks, columns);
      join(biases, c.dbias(), blocks, columns);
    }
  }

  private void join(Buffer parts, Operand sums, long blocks, long columns) {
    if (sums != null) {
      Arguments arguments = launcher.arguments().address(CudaMemory.address(parts)).operand(sums);
      launcher.elements("norm_backward_sums", columns, arguments.numbers(blocks, columns));
    }
  }

  void softmax(SoftmaxBackward c) {
    launcher.rows(
        c.kernel(),
        c.dy().size(0),
        launcher
            .with(c.dy(), c.y(), c.dx())
            .integer(dtype(c.dy().dtype()))
            .integer(c.log() ? 1 : 0)
            .number(c.dy().size(1)));
  }
}
