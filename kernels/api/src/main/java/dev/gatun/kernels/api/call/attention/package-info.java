/** Attention, and what goes before it: rotary positions, the cache, relative biases. */
package dev.gatun.kernels.api.call.attention;
