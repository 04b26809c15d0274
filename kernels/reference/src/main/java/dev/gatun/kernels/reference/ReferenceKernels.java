package dev.gatun.kernels.reference;

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
import dev.gatun.kernels.formats.HostBlocks;
import java.util.function.Consumer;

/** Each call by the formula of its record. */
final class ReferenceKernels implements Kernels {
  private final Memory memory;
  private final AttentionReference attention;
  private final MatmulReference matmul;
  private final QuantizedReference quantized;
  private final RowsReference rows;
  private final ElementwiseReference elementwise;
  private final LookupReference lookup;
  private final RotaryReference rotary;
  private final ReductionReference reduction;
  private final IndexingReference indexing;
  private final DisentangledBiasReference disentangledBias;
  private final ExpertReference experts;
  private final Consumer<KernelCall> work = this::compute;

  ReferenceKernels(Memory memory, Precision precision) {
    this.memory = memory;
    this.attention = new AttentionReference(precision);
    this.matmul = new MatmulReference(precision);
    this.quantized = new QuantizedReference(precision);
    this.rows = new RowsReference(precision);
    this.elementwise = new ElementwiseReference(precision);
    this.lookup = new LookupReference(precision);
    this.rotary = new RotaryReference(precision);
    this.reduction = new ReductionReference(precision);
    this.indexing = new IndexingReference(precision);
    this.disentangledBias = new DisentangledBiasReference(precision);
    this.experts = new ExpertReference(precision);
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
      case GroupedQuantizedMatmul c -> experts.run(c);
      case ExpertCombine c -> experts.run(c);
    }
  }

  private void indexing(IndexingCall call) {
    switch (call) {
      case Copy c -> indexing.run(c);
      case Embedding c -> lookup.run(c);
      case IndexAdd c -> indexing.run(c);
      case IndexSelect c -> indexing.run(c);
      case ScatterRows c -> lookup.run(c);
    }
  }

  private void loss(LossCall call) {
    switch (call) {
      case CrossEntropy c -> rows.run(c);
    }
  }

  private void matmul(MatmulCall call) {
    switch (call) {
      case Matmul c -> matmul.run(c);
      case BatchedMatmul c -> matmul.run(c);
      case QuantizedMatmul c -> quantized.run(c);
      case MatmulPack c -> matmul.run(c);
      case Quantize c -> HostBlocks.quantize(c.format(), c.weight(), c.blocks());
      case Dequantize c -> HostBlocks.dequantize(c.format(), c.blocks(), c.weight());
      case QuantizedPack c -> HostBlocks.pack(c.format(), c.inFeatures(), c.blocks(), c.packed());
      case QuantizeTokens c -> quantized.run(c);
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
      case ArgMax c -> reduction.run(c);
      case Pool c -> lookup.run(c);
      case Reduce c -> reduction.run(c);
      case TopK c -> reduction.run(c);
    }
  }
}
