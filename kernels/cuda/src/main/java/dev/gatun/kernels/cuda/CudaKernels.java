package dev.gatun.kernels.cuda;

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
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.function.Consumer;

/**
 * Submits the calls to a device's stream. A call returns before its kernel ran, and a kernel that
 * fails or meets a bad index makes a later call fail.
 */
final class CudaKernels implements Kernels {
  private final CudaMemory memory;
  private final Launcher launcher;
  private final CudaAttention attention;
  private final CudaMatmul matmul;
  private final CudaNorms norms;
  private final CudaOptim optim;
  private final CudaIndexing indexing;
  private final CudaLosses losses;
  private final CudaReductions reductions;
  private final CudaElementwise elementwise;
  private final CudaExperts experts;
  private final Consumer<KernelCall> work = this::submit;

  CudaKernels(CudaMemory memory, Launcher launcher, LibraryMatmul library) {
    this.memory = memory;
    this.launcher = launcher;
    IndexChecks checks = memory.checks();
    this.attention = new CudaAttention(launcher, memory, checks);
    this.matmul = new CudaMatmul(launcher, memory, library);
    this.norms = new CudaNorms(launcher, memory);
    this.optim = new CudaOptim(launcher, memory);
    this.indexing = new CudaIndexing(launcher, checks, library == null);
    this.losses = new CudaLosses(launcher, checks);
    this.reductions = new CudaReductions(launcher, memory);
    this.elementwise = new CudaElementwise(launcher);
    this.experts =
        new CudaExperts(launcher, memory, new CudaQuantizedExperts(launcher, matmul.quantized()));
  }

  @Override
  public void run(KernelCall call) {
    Execution.run(call, memory, work);
  }

  /** Tensor cores and what feeds them take codes of 4 and 8 bits. */
  @Override
  public PackedLayout layout(BlockFormat format) {
    return format.wideLayout();
  }

  private void submit(KernelCall call) {
    launcher.hold(call);
    switch (call) {
      case AttentionCall c -> attention.run(c);
      case ElementwiseCall c -> elementwise.run(c);
      case ExpertCall c -> experts.run(c);
      case IndexingCall c -> indexing.run(c);
      case LossCall c -> losses.run(c);
      case MatmulCall c -> matmul.run(c);
      case NormCall c -> norms.run(c);
      case OptimCall c -> optim.run(c);
      case ReductionCall c -> reductions.run(c);
    }
  }

  /** The number of a floating-point type in {@code numbers.h}. */
  static int dtype(DType dtype) {
    return KernelDType.floating(dtype);
  }
}
