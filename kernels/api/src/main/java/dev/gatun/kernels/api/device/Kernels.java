package dev.gatun.kernels.api.device;

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

/**
 * The kernel families on one device. Each method runs one call; the arguments were checked when the
 * record was made. Safe for use by many threads; the same call gives the same bits.
 */
public interface Kernels {
  void run(ScaledDotProductAttention call);

  void run(MatmulPack call);

  void run(Matmul call);

  void run(BatchedMatmul call);

  void run(LayerNorm call);

  void run(Activate call);

  void run(Elementwise call);

  void run(Softmax call);

  void run(Embedding call);

  void run(ScatterRows call);

  void run(Pool call);

  void run(L2Normalize call);

  void run(RotaryEmbedding call);

  void run(RotaryCacheUpdate call);

  void run(DisentangledBias call);

  void run(CrossEntropy call);

  void run(Cast call);

  void run(RmsNorm call);

  void run(GatedActivation call);

  void run(Quantize call);

  void run(Dequantize call);

  void run(QuantizedPack call);

  void run(QuantizedMatmul call);

  void run(QuantizeTokens call);

  void run(Reduce call);

  void run(ArgMax call);

  void run(TopK call);

  void run(Copy call);

  void run(IndexSelect call);

  void run(IndexAdd call);

  void run(ExpertRouting call);

  void run(GroupedMatmul call);

  void run(GroupedQuantizedMatmul call);

  void run(ExpertCombine call);
}
