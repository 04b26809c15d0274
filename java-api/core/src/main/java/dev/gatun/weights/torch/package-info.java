/** Reads weights out of PyTorch's files without running any of what these may ask for. */
package dev.gatun.weights.torch;
