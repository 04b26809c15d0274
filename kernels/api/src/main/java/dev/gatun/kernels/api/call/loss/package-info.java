/** Losses. */
package dev.gatun.kernels.api.call.loss;
