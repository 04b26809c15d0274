/**
 * Quantised weights: how blocks of them are made of floats and taken apart, and how they are packed
 * for products. What a block is says {@link dev.gatun.kernels.api.memory.BlockFormat}.
 */
package dev.gatun.kernels.formats;
