package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;
import java.util.List;

/**
 * What the signed bytes of keys and values mean: {@code element = scale code}, with one scale for a
 * token's row of a head, as {@link dev.gatun.kernels.api.call.matmul.TokenCodes} makes them of a
 * token without an offset.
 *
 * @param keys F32 contiguous, of the shape of the keys without their last axis
 * @param values F32 contiguous, of the shape of the values without their last axis
 */
public record CacheScales(Operand keys, Operand values) {
  /**
   * {@return what keys are of where numbers are of a dtype: that, or I8 where there are scales}
   *
   * @param scales of I8, or null
   * @param dtype of what is computed with
   */
  static DType stored(CacheScales scales, DType dtype) {
    return scales == null ? dtype : DType.I8;
  }

  /** Requires scales for each row of keys and values. */
  void check(String kernel, Operand key, Operand value) {
    check(kernel, "key scales", keys, key);
    check(kernel, "value scales", values, value);
  }

  private static void check(String kernel, String name, Operand scales, Operand of) {
    long[] shape = Arrays.copyOf(of.shape(), of.rank() - 1);
    Checks.shaped(kernel, name, scales, DType.F32, shape);
    Checks.contiguous(kernel, name, scales);
  }

  /** {@return both of some scales, none of null} */
  static List<Operand> operands(CacheScales scales) {
    return scales == null ? List.of() : List.of(scales.keys, scales.values);
  }
}
