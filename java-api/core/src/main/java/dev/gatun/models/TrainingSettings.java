package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import java.util.Objects;

/**
 * How a model is made for training.
 *
 * @param products what products read of the weights, which are F32 themselves: F32, BF16 or F16
 * @param seed of the weights that no file has
 * @param vocabulary the tokens that the model is to know, which may be more than those of its
 *     files: what each table and layer of tokens has more begins as the mean of what it had; 0 for
 *     as many as the configuration says
 */
public record TrainingSettings(DType products, long seed, int vocabulary) {
  /** Products in F32. */
  public static final TrainingSettings DEFAULT = new TrainingSettings(DType.F32, 42, 0);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException for products of another type, and a negative vocabulary
   */
  public TrainingSettings {
    Objects.requireNonNull(products, "products");
    if (products != DType.F32 && products != DType.BF16 && products != DType.F16) {
      throw new IllegalArgumentException(
          "training: products of weights as %s, expected F32, BF16 or F16".formatted(products));
    }
    if (vocabulary < 0) {
      throw new IllegalArgumentException(
          "training: a vocabulary of %d tokens, expected a positive number, or 0 for that of the files"
              .formatted(vocabulary));
    }
  }

  /**
   * {@return the same settings with another seed}
   *
   * @param other seed of the weights that no file has
   */
  public TrainingSettings withSeed(long other) {
    return new TrainingSettings(products, other, vocabulary);
  }

  /**
   * {@return the same settings with products that read other numbers}
   *
   * @param other F32, BF16 or F16
   * @throws IllegalArgumentException for another type
   */
  public TrainingSettings withProducts(DType other) {
    return new TrainingSettings(other, seed, vocabulary);
  }

  /**
   * {@return the same settings with another vocabulary}
   *
   * @param tokens the tokens that the model is to know, no fewer than its files have; 0 for as many
   *     as the configuration says
   * @throws IllegalArgumentException for a negative number
   */
  public TrainingSettings withVocabulary(int tokens) {
    return new TrainingSettings(products, seed, tokens);
  }
}
