package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.call.KernelCall;

/** Attention, and what goes before it. */
public sealed interface AttentionCall extends KernelCall
    permits ScaledDotProductAttention, DisentangledBias, RotaryEmbedding, RotaryCacheUpdate {}
