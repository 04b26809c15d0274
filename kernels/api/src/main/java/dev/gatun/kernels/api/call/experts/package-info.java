/** Mixtures of experts: the choice of experts, their products, the sum of what they gave. */
package dev.gatun.kernels.api.call.experts;
