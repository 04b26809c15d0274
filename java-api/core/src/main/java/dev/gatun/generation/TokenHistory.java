package dev.gatun.generation;

import java.util.Arrays;

/** The token ids of a sequence so far: the prompt's and those that were generated. */
final class TokenHistory {
  private final int promptLength;
  private int[] ids;
  private int length;

  TokenHistory(int[] prompt) {
    this(prompt, prompt.length);
  }

  /**
   * A sequence that was begun.
   *
   * @param promptLength how many of the ids are the prompt's
   */
  TokenHistory(int[] ids, int promptLength) {
    this.ids = ids.clone();
    this.length = ids.length;
    this.promptLength = promptLength;
  }

  void add(int id) {
    if (length == ids.length) {
      ids = Arrays.copyOf(ids, Math.max(16, length + length / 2));
    }
    ids[length++] = id;
  }

  /** The same tokens and one more. */
  TokenHistory with(int id) {
    TokenHistory longer = new TokenHistory(Arrays.copyOf(ids, length + 1), promptLength);
    longer.ids[length] = id;
    return longer;
  }

  int get(int position) {
    return ids[position];
  }

  /** All tokens' number. */
  int length() {
    return length;
  }

  int promptLength() {
    return promptLength;
  }

  /** The number of generated tokens. */
  int generated() {
    return length - promptLength;
  }

  int[] toArray() {
    return Arrays.copyOf(ids, length);
  }

  /** The ids from a position on. */
  int[] from(int position) {
    return range(position, length);
  }

  /** The ids from a position to before another. */
  int[] range(int from, int to) {
    return Arrays.copyOfRange(ids, from, to);
  }

  /** Whether the last tokens are the first {@code count} of these. */
  boolean endsWith(int[] tokens, int count) {
    if (count > length) {
      return false;
    }
    return Arrays.equals(ids, length - count, length, tokens, 0, count);
  }
}
