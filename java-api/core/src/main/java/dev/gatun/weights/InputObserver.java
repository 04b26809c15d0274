package dev.gatun.weights;

import dev.gatun.tensor.Tensor;
import java.util.List;

/** Is shown what a model's linear layers are given, each time before they compute. */
@FunctionalInterface
public interface InputObserver {
  /**
   * An input.
   *
   * @param layers the names of those that it goes to
   * @param x F32, BF16 or F16 [..., in_features], valid until this returns
   */
  void inputs(List<String> layers, Tensor x);
}
