package dev.gatun.kernels.api.memory;

/**
 * Indices in the device's memory, with what is known of them. Those with a bound were checked where
 * they became a tensor, or lie below it by the way they were made, as an argmax does: a call that
 * takes them compares two numbers and neither looks at them nor waits for the device. Others are
 * checked by each call.
 *
 * <p>A bound is a promise of whoever states it, for as long as the memory is used with it.
 *
 * @param values I64 or I32
 * @param below what all are less than and none is negative; {@link #UNKNOWN} where nobody looked.
 *     Numbers that a call has another meaning for, such as a target that is ignored, may be among
 *     them.
 */
public record Indices(Operand values, long below) {
  /** Nothing is known of the values. */
  public static final long UNKNOWN = -1;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Indices {
    if (values != null && below < UNKNOWN) {
      throw new IllegalArgumentException(
          "indices: the bound is %d, expected 0 or more, or %d for unknown"
              .formatted(below, UNKNOWN));
    }
  }

  /**
   * {@return indices that nobody has looked at}
   *
   * @param values I32 or I64
   */
  public static Indices unchecked(Operand values) {
    return values == null ? null : new Indices(values, UNKNOWN);
  }

  /** {@return whether each call has to look at them} */
  public boolean isUnknown() {
    return below == UNKNOWN;
  }
}
