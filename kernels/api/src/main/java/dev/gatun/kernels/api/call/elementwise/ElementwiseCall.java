package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.call.KernelCall;

/** What each element gets by itself. */
public sealed interface ElementwiseCall extends KernelCall
    permits Activate,
        ActivationBackward,
        Cast,
        Compare,
        DropElements,
        Elementwise,
        GatedActivation,
        GatedActivationBackward,
        RandomNumbers,
        Unary,
        Where {}
