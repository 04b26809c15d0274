package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * Layers with the same input, their outputs side by side, whose weights are kept in ways that one
 * packed weight cannot have.
 *
 * @param parts at least one, owned from now on
 */
public record JoinedLinear(List<Linear> parts) implements Linear {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public JoinedLinear {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("linear: there are no layers to join");
    }
    parts = List.copyOf(parts);
  }

  @Override
  public Tensor forward(Tensor x, DType dtype) {
    return Layouts.concat(-1, parts.stream().map(part -> part.forward(x, dtype)).toList());
  }

  @Override
  public DType between() {
    return parts.getFirst().between();
  }

  @Override
  public long outFeatures() {
    return parts.stream().mapToLong(Linear::outFeatures).sum();
  }

  @Override
  public void close() {
    parts.forEach(Linear::close);
  }
}
