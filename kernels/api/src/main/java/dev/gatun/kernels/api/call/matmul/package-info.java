/** Products with weights of any storage, and how weights and activations get there. */
package dev.gatun.kernels.api.call.matmul;
