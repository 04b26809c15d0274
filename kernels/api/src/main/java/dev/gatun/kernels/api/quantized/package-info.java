/**
 * Quantised weights: how blocks of them lie in a file, how they are made, and how they are packed
 * for products.
 */
package dev.gatun.kernels.api.quantized;
