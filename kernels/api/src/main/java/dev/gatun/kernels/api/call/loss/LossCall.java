package dev.gatun.kernels.api.call.loss;

import dev.gatun.kernels.api.call.KernelCall;

/** Losses. */
public sealed interface LossCall extends KernelCall permits CrossEntropy {}
