/** Norms of rows, softmax included. */
package dev.gatun.kernels.api.call.norm;
