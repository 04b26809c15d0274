/** Many elements that become few: sums, ranks, pooled sequences. */
package dev.gatun.kernels.api.call.reduction;
