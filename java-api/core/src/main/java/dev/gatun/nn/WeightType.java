package dev.gatun.nn;

import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import java.util.Objects;

/**
 * What linear layers keep their weights as.
 *
 * @param dtype F32, BF16 or F16; I8 of quantised weights, whatever their bits
 * @param format of quantised weights, else null
 * @param activations what becomes of the inputs of layers with quantised weights, else null
 */
public record WeightType(DType dtype, BlockFormat format, QuantizedActivations activations) {
  public static final WeightType F32 = new WeightType(DType.F32, null, null);
  public static final WeightType BF16 = new WeightType(DType.BF16, null, null);
  public static final WeightType F16 = new WeightType(DType.F16, null, null);

  /** W8A8: one scale an output feature, and one a token, taken from its numbers. */
  public static final WeightType INT8 =
      quantized(BlockFormat.INT8, QuantizedActivations.INT8_PER_TOKEN);

  public WeightType {
    Objects.requireNonNull(dtype, "dtype");
    boolean floats = dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
    if (!floats && dtype != DType.I8) {
      throw new IllegalArgumentException(
          "weights as %s, expected F32, BF16, F16 or I8".formatted(dtype));
    }
    if (floats != (format == null) || floats != (activations == null)) {
      throw new IllegalArgumentException(
          "weights as %s with format %s and activations %s: a format and activations belong to I8"
              .formatted(dtype, format, activations));
    }
  }

  /** Weights in blocks of a format. */
  public static WeightType quantized(BlockFormat format, QuantizedActivations activations) {
    return new WeightType(DType.I8, format, activations);
  }

  /** F32, BF16 and F16 as they are, and I8 as {@link #INT8}. */
  public static WeightType of(DType dtype) {
    return dtype == DType.I8 ? INT8 : new WeightType(dtype, null, null);
  }

  /**
   * What numbers between two products are kept as: BF16 where the products round them to that, or
   * to less, and F32 otherwise.
   */
  public DType between() {
    boolean narrow =
        isQuantized() ? activations != QuantizedActivations.EXACT : dtype == DType.BF16;
    return narrow ? DType.BF16 : DType.F32;
  }

  /** Whether weights are kept in blocks. */
  public boolean isQuantized() {
    return format != null;
  }

  @Override
  public String toString() {
    return isQuantized() ? format + " " + activations : dtype.toString();
  }
}
