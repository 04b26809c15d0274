package dev.gatun.training;

import dev.gatun.nn.Parameter;
import dev.gatun.ops.Optim;
import dev.gatun.tensor.Scope;
import java.util.List;
import java.util.Optional;

/** Finds weights with a NaN or an infinity, which spread to whatever is computed with them. */
final class BrokenWeights {
  private BrokenWeights() {}

  /** {@return the name of the first of these that is not finite} */
  static Optional<String> first(List<Parameter> parameters) {
    try (Scope _ = Scope.open()) {
      float[] norms =
          Optim.globalNorm(parameters.stream().map(Parameter::tensor).toList(), 1)
              .each()
              .toFloatArray();
      for (int i = 0; i < norms.length; i++) {
        // The norm of large numbers may be infinite where they are not.
        if (!Float.isFinite(norms[i]) && isBroken(parameters.get(i).tensor().toFloatArray())) {
          return Optional.of(parameters.get(i).name());
        }
      }
      return Optional.empty();
    }
  }

  private static boolean isBroken(float[] numbers) {
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        return true;
      }
    }
    return false;
  }
}
