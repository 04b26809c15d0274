package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.formats.HostBlocks;

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
  public void run(ScaledDotProductAttention call) {
    Execution.run(call, memory, () -> attention.run(call));
  }

  @Override
  public void run(MatmulPack call) {
    Execution.run(call, memory, () -> matmul.run(call));
  }

  @Override
  public void run(Matmul call) {
    Execution.run(call, memory, () -> matmul.run(call));
  }

  @Override
  public void run(BatchedMatmul call) {
    Execution.run(call, memory, () -> matmul.run(call));
  }

  @Override
  public void run(LayerNorm call) {
    Execution.run(call, memory, () -> rows.run(call));
  }

  @Override
  public void run(Activate call) {
    Execution.run(call, memory, () -> elementwise.run(call));
  }

  @Override
  public void run(Elementwise call) {
    Execution.run(call, memory, () -> elementwise.run(call));
  }

  @Override
  public void run(Softmax call) {
    Execution.run(call, memory, () -> rows.run(call));
  }

  @Override
  public void run(Embedding call) {
    Execution.run(call, memory, () -> lookup.run(call));
  }

  @Override
  public void run(ScatterRows call) {
    Execution.run(call, memory, () -> lookup.run(call));
  }

  @Override
  public void run(Pool call) {
    Execution.run(call, memory, () -> lookup.run(call));
  }

  @Override
  public void run(L2Normalize call) {
    Execution.run(call, memory, () -> rows.run(call));
  }

  @Override
  public void run(RotaryEmbedding call) {
    Execution.run(call, memory, () -> rotary.run(call));
  }

  @Override
  public void run(RotaryCacheUpdate call) {
    Execution.run(call, memory, () -> rotary.run(call));
  }

  @Override
  public void run(DisentangledBias call) {
    Execution.run(call, memory, () -> disentangledBias.run(call));
  }

  @Override
  public void run(CrossEntropy call) {
    Execution.run(call, memory, () -> rows.run(call));
  }

  @Override
  public void run(Cast call) {
    Execution.run(call, memory, () -> elementwise.run(call));
  }

  @Override
  public void run(RmsNorm call) {
    Execution.run(call, memory, () -> rows.run(call));
  }

  @Override
  public void run(GatedActivation call) {
    Execution.run(call, memory, () -> elementwise.run(call));
  }

  @Override
  public void run(Quantize call) {
    Execution.run(
        call, memory, () -> HostBlocks.quantize(call.format(), call.weight(), call.blocks()));
  }

  @Override
  public void run(Dequantize call) {
    Execution.run(
        call, memory, () -> HostBlocks.dequantize(call.format(), call.blocks(), call.weight()));
  }

  @Override
  public void run(QuantizedPack call) {
    Execution.run(
        call,
        memory,
        () -> HostBlocks.pack(call.format(), call.inFeatures(), call.blocks(), call.packed()));
  }

  @Override
  public void run(QuantizeTokens call) {
    Execution.run(call, memory, () -> quantized.run(call));
  }

  @Override
  public void run(QuantizedMatmul call) {
    Execution.run(call, memory, () -> quantized.run(call));
  }

  @Override
  public void run(Reduce call) {
    Execution.run(call, memory, () -> reduction.run(call));
  }

  @Override
  public void run(ArgMax call) {
    Execution.run(call, memory, () -> reduction.run(call));
  }

  @Override
  public void run(TopK call) {
    Execution.run(call, memory, () -> reduction.run(call));
  }

  @Override
  public void run(Copy call) {
    Execution.run(call, memory, () -> indexing.run(call));
  }

  @Override
  public void run(IndexSelect call) {
    Execution.run(call, memory, () -> indexing.run(call));
  }

  @Override
  public void run(IndexAdd call) {
    Execution.run(call, memory, () -> indexing.run(call));
  }

  @Override
  public void run(ExpertRouting call) {
    Execution.run(call, memory, () -> experts.run(call));
  }

  @Override
  public void run(GroupedMatmul call) {
    Execution.run(call, memory, () -> experts.run(call));
  }

  @Override
  public void run(GroupedQuantizedMatmul call) {
    Execution.run(call, memory, () -> experts.run(call));
  }

  @Override
  public void run(ExpertCombine call) {
    Execution.run(call, memory, () -> experts.run(call));
  }
}
