package dev.gatun.kernels.cuda;

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
import dev.gatun.kernels.api.memory.DType;
import java.util.function.Consumer;

/**
 * Submits the calls to a device's stream. A call returns before its kernel ran, and a kernel that
 * fails makes a later call fail; indices are checked before.
 */
final class CudaKernels implements Kernels {
  private final CudaMemory memory;
  private final Launcher launcher;
  private final CudaAttention attention;
  private final CudaMatmul matmul;
  private final CudaRows rows;
  private final CudaDisentangledBias disentangledBias;
  private final CudaRotary rotary;
  private final CudaIndexing indexing;
  private final CudaLosses losses;
  private final CudaReductions reductions;
  private final CudaElementwise elementwise;
  private final CudaQuantized quantized;
  private final CudaTokens tokens;
  private final CudaQuantizedMatmul quantizedMatmul;
  private final CudaExperts experts;
  private final CudaQuantizedExperts quantizedExperts;
  private final Consumer<KernelCall> work = this::submit;

  CudaKernels(CudaMemory memory, Launcher launcher, LibraryMatmul library) {
    this.memory = memory;
    this.launcher = launcher;
    Uploads uploads = new Uploads(memory);
    IndexChecks checks = new IndexChecks(launcher, memory);
    this.attention = new CudaAttention(launcher, memory, uploads, checks);
    this.matmul = new CudaMatmul(launcher, memory, library);
    this.rows = new CudaRows(launcher);
    this.disentangledBias = new CudaDisentangledBias(launcher, uploads);
    this.indexing = new CudaIndexing(launcher, checks);
    this.losses = new CudaLosses(launcher, checks);
    this.reductions = new CudaReductions(launcher, uploads);
    this.rotary = new CudaRotary(launcher, memory, checks);
    this.elementwise = new CudaElementwise(launcher);
    this.quantized = new CudaQuantized(launcher, memory);
    this.tokens = new CudaTokens(launcher);
    this.quantizedMatmul = new CudaQuantizedMatmul(launcher, memory, tokens);
    this.experts = new CudaExperts(launcher, memory, uploads);
    this.quantizedExperts = new CudaQuantizedExperts(launcher, quantizedMatmul);
  }

  @Override
  public void run(KernelCall call) {
    Execution.run(call, memory, work);
  }

  private void submit(KernelCall call) {
    launcher.hold(call);
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
      case ScaledDotProductAttention c -> attention.run(c);
      case DisentangledBias c -> disentangledBias.run(c);
      case RotaryEmbedding c -> rotary.run(c);
      case RotaryCacheUpdate c -> rotary.run(c);
    }
  }

  private void elementwise(ElementwiseCall call) {
    switch (call) {
      case Activate c -> elementwise.run(c);
      case Cast c -> elementwise.run(c);
      case Elementwise c -> elementwise.run(c);
      case GatedActivation c -> elementwise.run(c);
    }
  }

  private void experts(ExpertCall call) {
    switch (call) {
      case ExpertRouting c -> experts.run(c);
      case GroupedMatmul c -> experts.run(c);
      case GroupedQuantizedMatmul c -> quantizedExperts.run(c);
      case ExpertCombine c -> experts.run(c);
    }
  }

  private void indexing(IndexingCall call) {
    switch (call) {
      case Copy c -> elementwise.run(c);
      case Embedding c -> indexing.run(c);
      case IndexAdd c -> indexing.run(c);
      case IndexSelect c -> indexing.run(c);
      case ScatterRows c -> indexing.run(c);
    }
  }

  private void loss(LossCall call) {
    switch (call) {
      case CrossEntropy c -> losses.run(c);
    }
  }

  private void matmul(MatmulCall call) {
    switch (call) {
      case Matmul c -> matmul.run(c);
      case BatchedMatmul c -> matmul.run(c);
      case QuantizedMatmul c -> quantizedMatmul.run(c);
      case MatmulPack c -> matmul.run(c);
      case Quantize c -> quantized.run(c);
      case Dequantize c -> quantized.run(c);
      case QuantizedPack c -> quantized.run(c);
      case QuantizeTokens c -> tokens.run(c);
    }
  }

  private void norm(NormCall call) {
    switch (call) {
      case L2Normalize c -> rows.run(c);
      case LayerNorm c -> rows.run(c);
      case RmsNorm c -> rows.run(c);
      case Softmax c -> rows.run(c);
    }
  }

  private void reduction(ReductionCall call) {
    switch (call) {
      case ArgMax c -> reductions.run(c);
      case Pool c -> reductions.run(c);
      case Reduce c -> reductions.run(c);
      case TopK c -> reductions.run(c);
    }
  }

  /** The number of a floating-point type in {@code numbers.h}. */
  static int dtype(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case BF16 -> 1;
      case F16 -> 2;
      default ->
          throw new IllegalArgumentException(dtype + " is no floating-point type of kernels");
    };
  }
}
