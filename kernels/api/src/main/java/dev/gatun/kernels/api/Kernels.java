package dev.gatun.kernels.api;

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
