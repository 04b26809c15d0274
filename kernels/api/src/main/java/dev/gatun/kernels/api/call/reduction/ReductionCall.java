package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.call.KernelCall;

/** Many elements that become few. */
public sealed interface ReductionCall extends KernelCall
    permits ArgMax, Pool, Reduce, Sample, Scan, Sort, TopK {}
