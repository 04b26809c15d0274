package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.call.KernelCall;

/** Attention, its gradients, and what goes before it. */
public sealed interface AttentionCall extends KernelCall
    permits ScaledDotProductAttention,
        AttentionBackward,
        DisentangledBias,
        RotaryEmbedding,
        RotaryCacheUpdate {}
