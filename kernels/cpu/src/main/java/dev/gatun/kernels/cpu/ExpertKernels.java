package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.offsets;

import dev.gatun.bindings.cpu.CpuChecks;
import dev.gatun.bindings.cpu.CpuExperts;
import dev.gatun.bindings.cpu.CpuQuantized;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Mixtures of experts. */
final class ExpertKernels {
  private ExpertKernels() {}

  static void run(ExpertCall call) {
    switch (call) {
      case ExpertRouting c -> routing(c);
      case GroupedMatmul c -> groupedMatmul(c);
      case GroupedQuantizedMatmul c -> groupedQuantizedMatmul(c);
      case ExpertCombine c -> combine(c);
    }
  }

  private static void routing(ExpertRouting c) {
    CpuExperts.routing(
        rows(c.logits()),
        c.logits().size(0),
        c.logits().size(1),
        c.experts().size(1),
        c.renormalize(),
        c.scale(),
        c.capacity() == null ? 0 : c.capacity().tokens(),
        sequences(c),
        c.capacity() == null ? 0 : c.capacity().sequences().sequences(),
        address(c.experts()),
        address(c.weights()),
        address(c.rows()),
        address(c.places()),
        address(c.offsets()));
  }

  private static MemorySegment sequences(ExpertRouting c) {
    if (c.capacity() == null) {
      return MemorySegment.NULL;
    }
    Offsets sequences = c.capacity().sequences();
    MemorySegment values = address(sequences.values());
    CpuChecks.offsets(
        values,
        sequences.sequences(),
        sequences.tokens(),
        sequences.longest(),
        true,
        () -> Execution.allTokens(c, sequences.check(c.kernel(), values), sequences.tokens()));
    return values;
  }

  private static void groupedMatmul(GroupedMatmul c) {
    CpuExperts.Rows x = rows(c.x());
    CpuExperts.Rows y = rows(c.y());
    CpuExperts.Groups groups = groups(c, c.x(), c.rows(), c.offsets(), c.y());
    CpuExperts.Sizes sizes = sizes(c.x(), c.y());
    MemorySegment packed = address(c.packed());
    MemorySegment bias = address(c.bias());
    int activation = c.activation().ordinal();
    switch (c.packed().dtype()) {
      case F32 -> CpuExperts.matmulF32(x, groups, packed, bias, y, sizes, activation);
      case BF16 -> CpuExperts.matmulBf16(x, groups, packed, bias, y, sizes, activation);
      default -> CpuExperts.matmulF16(x, groups, packed, bias, y, sizes, activation);
    }
  }

  private static void groupedQuantizedMatmul(GroupedQuantizedMatmul c) {
    CpuExperts.quantizedMatmul(
        rows(c.x()),
        groups(c, c.x(), c.rows(), c.offsets(), c.y()),
        new CpuQuantized.Weight(
            address(c.packed()),
            c.layout().bits(),
            c.layout().group(),
            c.layout().scales().ordinal()),
        c.activations().ordinal(),
        address(c.bias()),
        rows(c.y()),
        sizes(c.x(), c.y()),
        c.activation().ordinal());
  }

  private static void combine(ExpertCombine c) {
    long tokens = c.places().size(0);
    long k = c.places().size(1);
    MemorySegment places = address(c.places());
    long rows = c.x().size(0);
    CpuChecks.places(
        places,
        tokens * k,
        -1,
        rows,
        () -> Execution.inRange(c, "place", places, tokens * k, -1, rows));
    CpuExperts.combine(
        rows(c.x()),
        c.x().size(0),
        address(c.weights()),
        address(c.places()),
        address(c.residual()),
        c.residual() == null ? 0 : c.residual().stride(0),
        rows(c.y()),
        tokens,
        k,
        c.y().size(1));
  }

  private static CpuExperts.Rows rows(Operand operand) {
    return new CpuExperts.Rows(address(operand), dtype(operand.dtype()), operand.stride(0));
  }

  private static CpuExperts.Groups groups(
      KernelCall call, Operand x, Operand rows, Operand offsets, Operand y) {
    long experts = offsets.size(0) - 1;
    MemorySegment begins = address(offsets);
    MemorySegment from = address(rows);
    CpuChecks.groups(
        begins,
        experts,
        y.size(0),
        from,
        x.size(0),
        () ->
            Execution.grouped(
                call, begins, experts, y.size(0), rows == null ? null : from, x.size(0)));
    return new CpuExperts.Groups(from, begins, experts);
  }

  private static CpuExperts.Sizes sizes(Operand x, Operand y) {
    return new CpuExperts.Sizes(y.size(0), y.size(1), x.size(1));
  }
}
