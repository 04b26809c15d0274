package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.Activate;
import dev.gatun.kernels.api.ArgMax;
import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.Cast;
import dev.gatun.kernels.api.Copy;
import dev.gatun.kernels.api.CrossEntropy;
import dev.gatun.kernels.api.Dequantize;
import dev.gatun.kernels.api.DisentangledBias;
import dev.gatun.kernels.api.Elementwise;
import dev.gatun.kernels.api.Embedding;
import dev.gatun.kernels.api.Execution;
import dev.gatun.kernels.api.ExpertCombine;
import dev.gatun.kernels.api.ExpertRouting;
import dev.gatun.kernels.api.GatedActivation;
import dev.gatun.kernels.api.GroupedMatmul;
import dev.gatun.kernels.api.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.IndexAdd;
import dev.gatun.kernels.api.IndexSelect;
import dev.gatun.kernels.api.Kernels;
import dev.gatun.kernels.api.L2Normalize;
import dev.gatun.kernels.api.LayerNorm;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Memory;
import dev.gatun.kernels.api.Pool;
import dev.gatun.kernels.api.Quantize;
import dev.gatun.kernels.api.QuantizeTokens;
import dev.gatun.kernels.api.QuantizedMatmul;
import dev.gatun.kernels.api.QuantizedPack;
import dev.gatun.kernels.api.Reduce;
import dev.gatun.kernels.api.RmsNorm;
import dev.gatun.kernels.api.RotaryCacheUpdate;
import dev.gatun.kernels.api.RotaryEmbedding;
import dev.gatun.kernels.api.ScaledDotProductAttention;
import dev.gatun.kernels.api.ScatterRows;
import dev.gatun.kernels.api.Softmax;
import dev.gatun.kernels.api.TopK;
import dev.gatun.kernels.api.quantized.HostBlocks;

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
    Execution.run(call, memory, () -> HostBlocks.run(call));
  }

  @Override
  public void run(Dequantize call) {
    Execution.run(call, memory, () -> HostBlocks.run(call));
  }

  @Override
  public void run(QuantizedPack call) {
    Execution.run(call, memory, () -> HostBlocks.run(call));
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
