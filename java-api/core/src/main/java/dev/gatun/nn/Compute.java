package dev.gatun.nn;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import java.util.Objects;

/**
 * How a model's products compute, whatever its weights are stored as. Sums are in F32.
 *
 * @param activations what becomes of the inputs of products with weights in blocks
 * @param residual what the residual stream between layers is kept as: F32 or BF16
 */
public record Compute(QuantizedActivations activations, DType residual) {
  /** Activations as they are, the residual stream in F32. */
  public static final Compute EXACT = of(QuantizedActivations.EXACT);

  /** Activations as eight bits with a scale a token, where weights are in blocks. */
  public static final Compute INT8_PER_TOKEN = of(QuantizedActivations.INT8_PER_TOKEN);

  /** Activations as eight bits in blocks of 32, where weights are in blocks. */
  public static final Compute INT8_BLOCKS = of(QuantizedActivations.INT8_BLOCKS);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public Compute {
    Objects.requireNonNull(activations, "activations");
    if (residual != DType.F32 && residual != DType.BF16) {
      throw new IllegalArgumentException(
          "compute: residual stream as %s, expected F32 or BF16".formatted(residual));
    }
  }

  /**
   * {@return products with the residual stream in F32}
   *
   * @param activations what becomes of the inputs of products with weights in blocks
   */
  public static Compute of(QuantizedActivations activations) {
    return new Compute(activations, DType.F32);
  }

  /**
   * {@return the same with another residual stream}
   *
   * @param dtype F32 or BF16
   * @throws IllegalArgumentException for another dtype
   */
  public Compute withResidual(DType dtype) {
    return new Compute(activations, dtype);
  }

  /**
   * Checks that products with such weights can compute so.
   *
   * @param weights what they are stored as
   * @throws IllegalArgumentException saying what they need
   */
  public void requireFits(Storage weights) {
    if (weights instanceof Storage.Dense(DType dtype)) {
      if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.F16) {
        throw new IllegalArgumentException(
            "weights as %s, expected F32, BF16, F16 or blocks".formatted(dtype));
      }
      if (dtype == DType.F32 && residual != DType.F32) {
        throw new IllegalArgumentException(
            "a residual stream of %s with weights as F32: their products take and give F32"
                .formatted(residual));
      }
    }
  }

  /**
   * {@return what numbers between two products are kept as: BF16 where the products round them to
   * that, or to less, and F32 otherwise}
   *
   * @param weights what the products' weights are stored as
   */
  public DType between(Storage weights) {
    boolean narrow =
        switch (weights) {
          case Storage.Dense(DType dtype) -> dtype == DType.BF16;
          case Storage.Blocks _ -> activations != QuantizedActivations.EXACT;
        };
    return narrow ? DType.BF16 : DType.F32;
  }
}
