package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.call.KernelCall;

/** Mixtures of experts. */
public sealed interface ExpertCall extends KernelCall
    permits ExpertRouting, GroupedMatmul, GroupedQuantizedMatmul, ExpertCombine {}
