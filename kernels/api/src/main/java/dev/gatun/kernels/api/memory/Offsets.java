package dev.gatun.kernels.api.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Where each sequence of a ragged batch begins among its packed tokens: sequence i has the tokens
 * {@code values[i]} to {@code values[i + 1]}. The numbers lie in the device's memory, so that work
 * which was recorded can be replayed with others in them; what a kernel's grid and the shapes of
 * its operands are made of are upper bounds that the host knows.
 *
 * @param values I32 [sequences + 1] contiguous: from 0, never falling, the last at most {@code
 *     tokens}
 * @param tokens the rows of operands that hold all tokens; rows behind the last sequence's belong
 *     to none
 * @param longest the most tokens of a sequence
 */
public record Offsets(Operand values, int tokens, int longest) {
  private static final String NAME = "offsets";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Offsets {
    if (values == null || values.dtype() != DType.I32 || values.rank() != 1) {
      throw new IllegalArgumentException(
          "%s: are %s, expected I32 [sequences + 1]".formatted(NAME, values));
    }
    if (values.size(0) < 1 || values.size(0) - 1 > Integer.MAX_VALUE || !values.isContiguous()) {
      throw new IllegalArgumentException(
          "%s: are %s with stride %d, expected at least one number, without gaps"
              .formatted(NAME, values, values.stride(0)));
    }
    if (tokens < 0 || longest < 0 || longest > tokens) {
      throw new IllegalArgumentException(
          "%s: %d tokens, the longest sequence %d, expected 0 <= longest <= tokens"
              .formatted(NAME, tokens, longest));
    }
  }

  /**
   * {@return where sequences of these lengths begin, and behind the last one where it ends}
   *
   * @param lengths tokens of each sequence
   * @throws IllegalArgumentException for a negative length, and for more than 2^31 - 1 tokens
   */
  public static int[] ofLengths(int... lengths) {
    int[] values = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] < 0 || values[i] > Integer.MAX_VALUE - lengths[i]) {
        throw new IllegalArgumentException(
            "%s: length %d at %d of %s, expected lengths from 0 on with a sum below 2^31"
                .formatted(NAME, lengths[i], i, Arrays.toString(lengths)));
      }
      values[i + 1] = values[i] + lengths[i];
    }
    return values;
  }

  /**
   * {@return the offsets of sequences with these lengths, in a block of their own that whoever
   * calls closes}
   *
   * @param memory where the block is made
   * @param lengths tokens of each sequence
   */
  public static Offsets of(Memory memory, int... lengths) {
    int[] values = ofLengths(lengths);
    Buffer buffer = memory.allocate(4L * values.length);
    try {
      memory.write(MemorySegment.ofArray(values), buffer, 0);
      return new Offsets(
          Operand.of(buffer, DType.I32, values.length),
          values[lengths.length],
          Arrays.stream(lengths).max().orElse(0));
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
  }

  /** {@return the number of sequences} */
  public int sequences() {
    return (int) values.size(0) - 1;
  }

  /**
   * {@return the numbers of offsets that lie in host memory}
   *
   * @param kernel whose call they belong to, for the message
   * @param host I32, one more than there are sequences
   * @throws IllegalArgumentException where they fall, or exceed a bound
   */
  public int[] check(String kernel, MemorySegment host) {
    int[] all = host.asSlice(0, 4 * values.size(0)).toArray(ValueLayout.JAVA_INT_UNALIGNED);
    if (all[0] != 0) {
      throw new IllegalArgumentException(
          "%s: offset %d at 0, expected 0".formatted(kernel, all[0]));
    }
    for (int i = 1; i < all.length; i++) {
      if (all[i] < all[i - 1] || all[i] > tokens) {
        throw new IllegalArgumentException(
            "%s: offset %d at %d follows %d, expected offsets from 0 to %d that never fall"
                .formatted(kernel, all[i], i, all[i - 1], tokens));
      }
      if (all[i] - all[i - 1] > longest) {
        throw new IllegalArgumentException(
            "%s: offset %d at %d ends a sequence of %d tokens, expected at most %d"
                .formatted(kernel, all[i], i, all[i] - all[i - 1], longest));
      }
    }
    return all;
  }
}
