package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Tensor;

/**
 * The gate of a feed-forward network (Shazeer, arXiv 2002.05202): {@code activation(gate) · up}.
 *
 * @param activation of the gate
 * @param gateFirst whether the gate is the first half of the joined projection, and up the second
 */
record Gate(Activation activation, boolean gateFirst) {
  /** The joined projection [tokens, 2 intermediate] to [tokens, intermediate]. */
  Tensor forward(Tensor joined) {
    long half = joined.size(1) / 2;
    Tensor first = joined.slice(1, 0, half);
    Tensor second = joined.slice(1, half, 2 * half);
    return gateFirst
        ? Elementwise.gatedActivation(first, second, activation)
        : Elementwise.gatedActivation(second, first, activation);
  }
}
