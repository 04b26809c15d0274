package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;

/** Gradients of normalisations, and of softmax. */
final class CudaNormGradients {
  // Blocks that have sums over rows of their own: as many as are joined in no time, by the shape
  // alone.
  private static final long MOST_BLOCKS = 512;
  private static final long COLUMNS = 256;

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
      Arguments arguments = launcher.arguments().begin();
      arguments.operand(c.dy()).operand(c.x()).operand(c.added()).operand(c.dx());
      arguments.address(c.dweight() == null ? 0 : CudaMemory.address(weights));
      arguments.address(c.dbias() == null ? 0 : CudaMemory.address(biases));
      arguments.numbers(rows, columns, each);
      arguments.integer(dtype(c.dy().dtype()));
      arguments.integer(dtype(c.weight() == null ? c.dy().dtype() : c.weight().dtype()));
      arguments.real(c.eps()).real(c.shift()).end();
      launcher.rows(c.kernel(), blocks, arguments.operand(c.weight()));
      join(weights, c.dweight(), blocks, columns);
      join(biases, c.dbias(), blocks, columns);
    }
  }

  private void join(Buffer parts, Operand sums, long blocks, long columns) {
    if (sums != null) {
      Arguments arguments = launcher.arguments().address(CudaMemory.address(parts)).operand(sums);
      launcher.launch(
          "norm_backward_sums",
          Math.ceilDiv(columns, COLUMNS),
          1,
          1,
          arguments.numbers(blocks, columns));
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
