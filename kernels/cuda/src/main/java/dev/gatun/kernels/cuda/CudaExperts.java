package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;

/**
 * Mixtures of experts. How many rows an expert has is known to the device alone: grids are of as
 * many tiles as there can be, and blocks without one end at once.
 */
final class CudaExperts {
  private static final int WARP = 32;
  // A thread of expert_combine_vectors has so many columns.
  private static final int LANES = 8;

  private final Launcher launcher;
  private final CudaMemory memory;
  private final CudaQuantizedExperts quantized;

  CudaExperts(Launcher launcher, CudaMemory memory, CudaQuantizedExperts quantized) {
    this.launcher = launcher;
    this.memory = memory;
    this.quantized = quantized;
  }

  void run(ExpertCall call) {
    switch (call) {
      case ExpertRouting c -> routing(c);
      case GroupedMatmul c -> groupedMatmul(c);
      case GroupedQuantizedMatmul c -> quantized.run(c);
      case ExpertCombine c -> combine(c);
    }
  }

  private void routing(ExpertRouting c) {
    long tokens = c.logits().size(0);
    int experts = Math.toIntExact(c.logits().size(1));
    int k = Math.toIntExact(c.experts().size(1));
    launcher.launch(
        "expert_choice",
        Math.ceilDiv(tokens, launcher.threads("expert_choice") / WARP),
        1,
        1,
        0,
        with(c.logits(), c.experts(), c.weights())
            .integer(dtype(c.logits().dtype()))
            .integer(c.renormalize() ? 1 : 0)
            .integer(experts)
            .integer(k)
            .numbers(c.logits().stride(0), tokens)
            .real(c.scale()));
    Operand sequences = c.capacity() == null ? null : c.capacity().sequences().values();
    try (Buffer counts = memory.allocate(4L * experts)) {
      long[] sizes = {
        tokens * k,
        sequences == null ? 1 : sequences.size(0) - 1,
        c.capacity() == null ? 0 : c.capacity().tokens()
      };
      launcher.launch(
          "expert_count",
          experts,
          1,
          1,
          with(c.experts())
              .operand(sequences)
              .address(CudaMemory.address(counts))
              .integer(k)
              .numbers(sizes));
      launcher.launch(
          "expert_order",
          experts,
          1,
          1,
          with(c.experts())
              .operand(sequences)
              .address(CudaMemory.address(counts))
              .operand(c.rows())
              .operand(c.places())
              .operand(c.offsets())
              .integer(k)
              .integer(experts)
              .numbers(sizes));
    }
  }

  private void groupedMatmul(GroupedMatmul c) {
    long places = c.y().size(0);
    long n = c.y().size(1);
    int experts = Math.toIntExact(c.experts());
    Arguments arguments = with(c.x(), c.rows(), c.offsets(), c.packed(), c.bias(), c.y());
    if (CudaMatmul.fitsTensorCores(c.x(), c.packed())) {
      CudaMatmul.Size size = size(Math.ceilDiv(places, experts), places * n);
      tiles(c, "grouped_" + size.kernel(c.x().dtype()), sizes(c, arguments));
    } else {
      arguments.integer(dtype(c.x().dtype())).integer(dtype(c.packed().dtype()));
      tiles(c, "grouped_matmul_simt", sizes(c, arguments));
    }
  }

  /** By the rows that an expert has on average. */
  private static CudaMatmul.Size size(long rows, long elements) {
    if (rows <= 16) {
      return CudaMatmul.Size.SMALL;
    }
    boolean large = rows >= 128 && elements >= 128L * 128 * 128;
    return large ? CudaMatmul.Size.LARGE : CudaMatmul.Size.MIDDLE;
  }

  private void tiles(GroupedMatmul c, String kernel, Arguments arguments) {
    KernelImages.Tile tile = launcher.tile(kernel);
    launcher.launch(
        kernel,
        Math.ceilDiv(c.y().size(1), tile.n()),
        tiles(c.y().size(0), c.experts(), tile.m()),
        1,
        arguments);
  }

  /** The most tiles that places make: those of experts whose last tiles have one row each. */
  static long tiles(long places, long experts, int rows) {
    return (places + Math.min(experts, places) * (rows - 1)) / rows;
  }

  private static Arguments sizes(GroupedMatmul c, Arguments arguments) {
    return arguments
        .integer(dtype(c.y().dtype()))
        .integer(c.activation().ordinal())
        .integer(Math.toIntExact(c.experts()))
        .numbers(c.x().size(0), c.x().stride(0), c.y().stride(0))
        .numbers(c.y().size(0), c.y().size(1), c.x().size(1));
  }

  private void combine(ExpertCombine c) {
    long columns = c.y().size(1);
    boolean vectors = areVectors(c.x(), c.residual(), c.y());
    String kernel = vectors ? "expert_combine_vectors" : "expert_combine";
    launcher.launch(
        kernel,
        c.y().size(0),
        Math.ceilDiv(columns, launcher.threads(kernel) * (vectors ? LANES : 1)),
        1,
        0,
        with(c.x(), c.weights(), c.places(), c.residual(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer(dtype(c.y().dtype()))
            .integer(Math.toIntExact(c.places().size(1)))
            .numbers(c.x().size(0), c.x().stride(0))
            .numbers(c.residual() == null ? 0 : c.residual().stride(0), c.y().stride(0), columns));
  }

  private static boolean areVectors(Operand... operands) {
    for (Operand operand : operands) {
      if (operand != null && (operand.size(1) % LANES != 0 || operand.stride(0) % LANES != 0)) {
        return false;
      }
    }
    return Vectors.areAligned(operands);
  }

  private Arguments with(Operand... operands) {
    Arguments arguments = launcher.arguments();
    for (Operand operand : operands) {
      arguments.operand(operand);
    }
    return arguments;
  }
}
