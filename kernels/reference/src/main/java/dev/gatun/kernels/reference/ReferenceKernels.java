package dev.gatun.kernels.reference;

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

/** Each call by the formula of its record. */
final class ReferenceKernels implements Kernels {
  private final Memory memory;
  private final AttentionReference attention;
  private final MatmulReference matmul;
  private final LossReference loss;
  private final NormReference norm;
  private final OptimReference optim;
  private final ElementwiseReference elementwise;
  private final ReductionReference reduction;
  private final IndexingReference indexing;
  private final ExpertReference experts;
  private final Consumer<KernelCall> work = this::compute;

  ReferenceKernels(Memory memory, Precision precision) {
    this.memory = memory;
    this.attention = new AttentionReference(precision);
    this.matmul = new MatmulReference(precision);
    this.loss = new LossReference(precision);
    this.norm = new NormReference(precision);
    this.optim = new OptimReference(precision);
    this.elementwise = new ElementwiseReference(precision);
    this.reduction = new ReductionReference(precision);
    this.indexing = new IndexingReference(precision);
    this.experts = new ExpertReference(precision);
  }

  @Override
  public void run(KernelCall call) {
    Execution.run(call, memory, work);
  }

  private void compute(KernelCall call) {
    switch (call) {
      case AttentionCall c -> attention.run(c);
      case ElementwiseCall c -> elementwise.run(c);
      case ExpertCall c -> experts.run(c);
      case IndexingCall c -> indexing.run(c);
      case LossCall c -> loss.run(c);
      case MatmulCall c -> matmul.run(c);
      case NormCall c -> norm.run(c);
      case OptimCall c -> optim.run(c);
      case ReductionCall c -> reduction.run(c);
    }
  }
}
