package dev.gatun.kernels.cpu;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.ElementwiseCall;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.experts.ExpertCall;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.loss.LossCall;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.call.reduction.TopK;
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
    switch (call) {
      case AttentionCall c -> attention(c);
      case ElementwiseCall c -> elementwise(c);
      case ExpertCall c -> experts(c);
      case IndexingCall c -> indexing(c);
      case LossCall c -> loss(c);
      case MatmulCall c -> matmul(c);
      case NormCall c -> norm(c);
      case ReductionCall c -> reduction(c);
    }
  }

  private void attention(AttentionCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> AttentionKernels.run(c);
      case DisentangledBias c -> AttentionKernels.run(c);
      case RotaryEmbedding c -> RotaryKernels.run(c);
      case RotaryCacheUpdate c -> RotaryKernels.run(c);
    }
  }

  private static void elementwise(ElementwiseCall call) {
    switch (call) {
      case Activate c -> ElementwiseKernels.run(c);
      case Cast c -> ElementwiseKernels.run(c);
      case Elementwise c -> ElementwiseKernels.run(c);
      case GatedActivation c -> ElementwiseKernels.run(c);
    }
  }

  private void experts(ExpertCall call) {
    switch (call) {
      case ExpertRouting c -> ExpertKernels.run(c);
      case GroupedMatmul c -> ExpertKernels.run(c);
      case GroupedQuantizedMatmul c -> ExpertKernels.run(c);
      case ExpertCombine c -> ExpertKernels.run(c);
    }
  }

  private static void indexing(IndexingCall call) {
    switch (call) {
      case Copy c -> IndexingKernels.run(c);
      case Embedding c -> IndexingKernels.run(c);
      case IndexAdd c -> IndexingKernels.run(c);
      case IndexSelect c -> IndexingKernels.run(c);
      case ScatterRows c -> IndexingKernels.run(c);
    }
  }

  private static void loss(LossCall call) {
    switch (call) {
      case CrossEntropy c -> LossKernels.run(c);
    }
  }

  private static void matmul(MatmulCall call) {
    switch (call) {
      case Matmul c -> MatmulKernels.run(c);
      case BatchedMatmul c -> MatmulKernels.run(c);
      case QuantizedMatmul c -> QuantizedKernels.run(c);
      case MatmulPack c -> MatmulKernels.run(c);
      case Quantize c -> BlockKernels.run(c);
      case Dequantize c -> BlockKernels.run(c);
      case QuantizedPack c -> BlockKernels.run(c);
      case QuantizeTokens c -> QuantizedKernels.run(c);
    }
  }

  private static void norm(NormCall call) {
    switch (call) {
      case L2Normalize c -> NormKernels.run(c);
      case LayerNorm c -> NormKernels.run(c);
      case RmsNorm c -> NormKernels.run(c);
      case Softmax c -> NormKernels.run(c);
    }
  }

  private void reduction(ReductionCall call) {
    switch (call) {
      case ArgMax c -> ReductionKernels.run(c);
      case Pool c -> ReductionKernels.run(c);
      case Reduce c -> ReductionKernels.run(c);
      case TopK c -> ReductionKernels.run(c);
    }
  }
}
