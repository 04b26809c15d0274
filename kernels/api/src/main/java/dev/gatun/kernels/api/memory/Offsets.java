package dev.gatun.kernels.api.memory;

import java.util.Arrays;

/**
 * Where each sequence of a ragged batch begins among its packed tokens: sequence i has the tokens
 * {@code values[i]} to {@code values[i + 1]}.
 *
 * @param values from 0, never falling; one more than there are sequences
 */
public record Offsets(int[] values) {
  public Offsets {
    if (values.length == 0 || values[0] != 0) {
      throw new IllegalArgumentException(
          "offsets %s: must begin with 0".formatted(Arrays.toString(values)));
    }
    for (int i = 1; i < values.length; i++) {
      if (values[i] < values[i - 1]) {
        throw new IllegalArgumentException(
            "offsets: %d at %d follows %d, must not fall".formatted(values[i], i, values[i - 1]));
      }
    }
    values = values.clone();
  }

  /** The offsets of sequences with these lengths. */
  public static Offsets ofLengths(int... lengths) {
    int[] values = new int[lengths.length + 1];
    for (int i = 0; i < lengths.length; i++) {
      values[i + 1] = Math.addExact(values[i], lengths[i]);
    }
    return new Offsets(values);
  }

  /** The number of sequences. */
  public int sequences() {
    return values.length - 1;
  }

  /** The number of tokens of all sequences. */
  public int tokens() {
    return values[values.length - 1];
  }

  /** The first token of a sequence. */
  public int start(int sequence) {
    return values[sequence];
  }

  /** The number of tokens of a sequence. */
  public int length(int sequence) {
    return values[sequence + 1] - values[sequence];
  }

  /** The number of tokens of the longest sequence. */
  public int longest() {
    int longest = 0;
    for (int i = 0; i < sequences(); i++) {
      longest = Math.max(longest, length(i));
    }
    return longest;
  }
}
