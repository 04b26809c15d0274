package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.call.KernelCall;

/** Steps of optimisers over lists of parameters. */
public sealed interface OptimCall extends KernelCall
    permits AdafactorStep, GlobalNorm, OptimizerStep {}
