package dev.gatun.kernels.cpu;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.loss.LossCall;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
import java.util.function.Consumer;

/**
 * Runs the calls by the native library; its enums are numbered as {@code gatun_cpu.h} numbers them.
 */
final class CpuKernels implements Kernels {
  private final Memory memory;
  private final Consumer<KernelCall> work = this::compute;

  CpuKernels(Memory memory) {
    this.memory = memory;
  }

  @Override
  public void run(KernelCall call) {
    Execution.run(call, memory, work);
  }

  private void compute(KernelCall call) {
    CpuReplay recorded = CpuReplay.mine();
    if (recorded != null) {
      recorded.hold(call);
    }
    switch (call) {
      case AttentionCall c -> AttentionKernels.run(c);
      case ElementwiseCall c -> ElementwiseKernels.run(c);
      case ExpertCall c -> ExpertKernels.run(c);
      case IndexingCall c -> IndexingKernels.run(c);
      case LossCall c -> LossKernels.run(c);
      case MatmulCall c -> MatmulKernels.run(c);
      case NormCall c -> NormKernels.run(c);
      case OptimCall c -> OptimKernels.run(c);
      case ReductionCall c -> ReductionKernels.run(c);
    }
  }
}
