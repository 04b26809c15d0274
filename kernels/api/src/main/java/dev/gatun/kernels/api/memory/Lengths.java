package dev.gatun.kernels.api.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How many entries of each row are in use, as of a cache with room to grow. The numbers lie in the
 * device's memory, so that work which was recorded can be replayed with others in them.
 *
 * @param values I32 [rows] contiguous, each from 0 to {@code longest}
 * @param longest the most entries of a row, which the host knows
 */
public record Lengths(Operand values, int longest) {
  private static final String NAME = "lengths";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Lengths {
    if (values == null || values.dtype() != DType.I32 || values.rank() != 1) {
      throw new IllegalArgumentException("%s: are %s, expected I32 [rows]".formatted(NAME, values));
    }
    if (!values.isContiguous()) {
      throw new IllegalArgumentException(
          "%s: have stride %d, expected no gaps".formatted(NAME, values.stride(0)));
    }
    if (longest < 0) {
      throw new IllegalArgumentException(
          "%s: the longest is %d, expected 0 or more".formatted(NAME, longest));
    }
  }

  /**
   * {@return the numbers of lengths that lie in host memory}
   *
   * @param kernel whose call they belong to, for the message
   * @param host I32, one a sequence
   * @throws IllegalArgumentException where one is negative or above the longest
   */
  public int[] check(String kernel, MemorySegment host) {
    int[] all = host.asSlice(0, 4 * values.count()).toArray(ValueLayout.JAVA_INT_UNALIGNED);
    for (int i = 0; i < all.length; i++) {
      if (all[i] < 0 || all[i] > longest) {
        throw new IllegalArgumentException(
            "%s: length %d at %d is outside of 0 to %d".formatted(kernel, all[i], i, longest));
      }
    }
    return all;
  }
}
