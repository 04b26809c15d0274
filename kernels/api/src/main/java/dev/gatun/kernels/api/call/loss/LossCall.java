package dev.gatun.kernels.api.call.loss;

import dev.gatun.kernels.api.call.KernelCall;

/** Losses, and their gradients. */
public sealed interface LossCall extends KernelCall permits CrossEntropy, CrossEntropyBackward {}
