package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuOptim;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.MemorySegment;

/** Steps of optimisers over lists of parameters. */
final class OptimKernels {
  private OptimKernels() {}

  static void run(OptimCall call) {
    switch (call) {
      case GlobalNorm c -> globalNorm(c);
      case OptimizerStep c -> step(c);
    }
  }

  private static void globalNorm(GlobalNorm c) {
    CpuOptim.Ranges ranges = new CpuOptim.Ranges(c.gradients().size());
    for (int i = 0; i < c.gradients().size(); i++) {
      ranges.set(i, address(c.gradients().get(i)), c.gradients().get(i).count());
    }
    CpuOptim.globalNorm(ranges, c.scale(), address(c.norms()), address(c.norm()));
  }

  private static void step(OptimizerStep c) {
    CpuOptim.Parameters parameters = new CpuOptim.Parameters(c.parameters().size());
    DType copies = DType.F32;
    for (int i = 0; i < c.parameters().size(); i++) {
      ParameterUpdate p = c.parameters().get(i);
      parameters.set(
          i,
          address(p.parameter()),
          address(p.gradient()),
          p.states().stream().map(Arguments::address).toArray(MemorySegment[]::new),
          address(p.copy()),
          p.parameter().count(),
          c.rule().numbers(p.rate(), p.decay(), c.step()));
      copies = p.copy() == null ? copies : p.copy().dtype();
    }
    CpuOptim.step(
        parameters,
        c.rule().formula().ordinal(),
        dtype(copies),
        c.scale(),
        address(c.norm()),
        c.maxNorm());
  }
}
