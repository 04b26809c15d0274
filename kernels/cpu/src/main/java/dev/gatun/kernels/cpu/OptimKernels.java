package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuOptim;
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Steps of optimisers over lists of parameters. */
final class OptimKernels {
  private OptimKernels() {}

  static void run(OptimCall call) {
    switch (call) {
      case AdafactorStep c -> adafactor(c);
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
    }
    CpuOptim.step(
        parameters,
        c.rule().formula().ordinal(),
        copies(c.parameters()),
        c.scale(),
        address(c.norm()),
        c.maxNorm());
  }

  /** The dtype of the copies. */
  private static int copies(List<ParameterUpdate> parameters) {
    for (ParameterUpdate p : parameters) {
      if (p.copy() != null) {
        return dtype(p.copy().dtype());
      }
    }
    return dtype(DType.F32);
  }

  private static void adafactor(AdafactorStep c) {
    var parameters = new CpuOptim.FactoredParameters(c.parameters().size());
    for (int i = 0; i < c.parameters().size(); i++) {
      ParameterUpdate p = c.parameters().get(i);
      List<Operand> states = p.states();
      boolean isMatrix = p.parameter().rank() >= 2;
      AdafactorStep.Matrices sizes = AdafactorStep.Matrices.of(p.parameter());
      parameters.set(
          i,
          address(p.parameter()),
          address(p.gradient()),
          address(states.getFirst()),
          address(isMatrix ? states.get(1) : null),
          address(c.rule().beta1() > 0 ? states.getLast() : null),
          address(p.copy()),
          new long[] {sizes.batches(), sizes.rows(), sizes.columns()},
          c.rule().numbers(p.rate(), p.decay(), c.step()));
    }
    CpuOptim.adafactor(
        parameters, copies(c.parameters()), c.scale(), address(c.norm()), c.maxNorm());
  }
}
