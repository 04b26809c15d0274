package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import java.util.Objects;

/**
 * How a model is made for training.
 *
 * @param products what products read of the weights, which are F32 themselves: F32, BF16 or F16
 * @param seed of the weights that no file has
 */
public record TrainingSettings(DType products, long seed) {
  /** Products in F32. */
  public static final TrainingSettings DEFAULT = new TrainingSettings(DType.F32, 42);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException for products of another type
   */
  public TrainingSettings {
    Objects.requireNonNull(products, "products");
    if (products != DType.F32 && products != DType.BF16 && products != DType.F16) {
      throw new IllegalArgumentException(
          "training: products of weights as %s, expected F32, BF16 or F16".formatted(products));
    }
  }

  /** The same with another seed. */
  public TrainingSettings withSeed(long other) {
    return new TrainingSettings(products, other);
  }

  /** The same with products that read other numbers. */
  public TrainingSettings withProducts(DType other) {
    return new TrainingSettings(other, seed);
  }
}
