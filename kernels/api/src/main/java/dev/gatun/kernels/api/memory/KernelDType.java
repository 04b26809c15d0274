package dev.gatun.kernels.api.memory;

import java.util.Arrays;

/**
 * The element types that native kernels know: each is told to them by its ordinal. Named as those
 * of {@link DType}; floating-point ones first.
 */
public enum KernelDType {
  /** Of {@link DType#F32}. */
  F32,
  /** Of {@link DType#BF16}. */
  BF16,
  /** Of {@link DType#F16}. */
  F16,
  /** Of {@link DType#I64}. */
  I64,
  /** Of {@link DType#I32}. */
  I32,
  /** Of {@link DType#I8}. */
  I8,
  /** Of {@link DType#U8}. */
  U8;

  private static final int NONE = -1;
  private static final int[] NUMBERS = numbers();

  private static int[] numbers() {
    int[] numbers = new int[DType.values().length];
    Arrays.fill(numbers, NONE);
    for (KernelDType known : values()) {
      numbers[DType.valueOf(known.name()).ordinal()] = known.ordinal();
    }
    return numbers;
  }

  /**
   * {@return what kernels that know all of them are told of a type}
   *
   * @param dtype the type
   * @throws IllegalArgumentException of a type that none knows
   */
  public static int number(DType dtype) {
    int number = NUMBERS[dtype.ordinal()];
    if (number == NONE) {
      throw new IllegalArgumentException(
          dtype + " is no type of kernels, expected one of " + Arrays.toString(values()));
    }
    return number;
  }

  /**
   * {@return what kernels of floating-point numbers are told of a type}
   *
   * @param dtype the type
   * @throws IllegalArgumentException of any but F32, BF16 and F16
   */
  public static int floating(DType dtype) {
    int number = NUMBERS[dtype.ordinal()];
    if (number == NONE || number > F16.ordinal()) {
      throw new IllegalArgumentException(
          dtype + " is no floating-point type of kernels, expected F32, BF16 or F16");
    }
    return number;
  }
}
