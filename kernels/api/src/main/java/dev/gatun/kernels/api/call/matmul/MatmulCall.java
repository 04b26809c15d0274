package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.call.KernelCall;

/** Products, and how weights and activations get ready for them. */
public sealed interface MatmulCall extends KernelCall
    permits Matmul,
        BatchedMatmul,
        QuantizedMatmul,
        BlockMatmul,
        MatmulPack,
        Quantize,
        Dequantize,
        QuantizedPack,
        QuantizeTokens {}
