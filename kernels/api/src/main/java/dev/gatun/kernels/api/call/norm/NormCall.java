package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.call.KernelCall;

/** Norms of rows, and their gradients. */
public sealed interface NormCall extends KernelCall
    permits L2Normalize,
        LayerNorm,
        LayerNormBackward,
        RmsNorm,
        RmsNormBackward,
        Softmax,
        SoftmaxBackward {}
