/** One device's kernels and memory, and how it is found. */
package dev.gatun.kernels.api.device;
