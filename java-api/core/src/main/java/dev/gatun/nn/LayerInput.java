package dev.gatun.nn;

import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Tensor;

/**
 * What a norm makes for a linear layer after it.
 *
 * @param x the norm's results
 * @param codes of x, where the layer reads these in its place; else null
 */
public record LayerInput(Tensor x, Quantization.Codes codes) {}
