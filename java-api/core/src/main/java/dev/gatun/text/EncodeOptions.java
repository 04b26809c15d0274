package dev.gatun.text;

import java.util.Objects;

/**
 * How a text becomes tokens. Start from {@link #DEFAULT} and change what differs.
 *
 * @param addSpecialTokens whether to add the tokens of the model's template, such as {@code [CLS]}
 *     and {@code [SEP]}
 * @param maxLength the most tokens of an encoding, special tokens included; {@link #NO_LIMIT} for
 *     all
 * @param overflow what happens to a text with more
 * @param pairTruncation which text of a pair gives up tokens
 * @param stride tokens that neighbouring windows share, see {@link Tokenizer#encodeWindows}; less
 *     than the tokens of text in a window
 */
public record EncodeOptions(
    boolean addSpecialTokens,
    int maxLength,
    Overflow overflow,
    PairTruncation pairTruncation,
    int stride) {

  /** A {@code maxLength} that is never reached. */
  public static final int NO_LIMIT = Integer.MAX_VALUE;

  /** Special tokens, no limit; once a limit is set, the longer text of a pair is cut at its end. */
  public static final EncodeOptions DEFAULT =
      new EncodeOptions(true, NO_LIMIT, Overflow.TRUNCATE, PairTruncation.LONGEST_FIRST, 0);

  /** What happens to a text that does not fit. */
  public enum Overflow {
    /** Tokens are dropped at the end, and the {@link Encoding} says how many. */
    TRUNCATE,
    /** A {@link TokenizerException} is thrown. */
    ERROR
  }

  /** Which text of a pair gives up tokens. */
  public enum PairTruncation {
    /** The longer one, then both alike. */
    LONGEST_FIRST,
    /** The first one only. */
    ONLY_FIRST,
    /** The second one only: for a question and its context. */
    ONLY_SECOND
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if {@code maxLength} is not positive or {@code stride} is
   *     negative
   */
  public EncodeOptions {
    Objects.requireNonNull(overflow, "overflow");
    Objects.requireNonNull(pairTruncation, "pairTruncation");
    if (maxLength < 1) {
      throw new IllegalArgumentException("maxLength is " + maxLength + ", expected at least 1");
    }
    if (stride < 0) {
      throw new IllegalArgumentException("stride is " + stride + ", expected at least 0");
    }
  }

  /**
   * {@return these options with or without special tokens}
   *
   * @param add whether to add the tokens of the model's template
   */
  public EncodeOptions withSpecialTokens(boolean add) {
    return new EncodeOptions(add, maxLength, overflow, pairTruncation, stride);
  }

  /**
   * {@return these options with at most {@code tokens} tokens}
   *
   * @param tokens at least 1, special tokens included; {@link #NO_LIMIT} for all
   */
  public EncodeOptions withMaxLength(int tokens) {
    return new EncodeOptions(addSpecialTokens, tokens, overflow, pairTruncation, stride);
  }

  /**
   * {@return these options with another treatment of texts that do not fit}
   *
   * @param treatment what happens to them
   */
  public EncodeOptions withOverflow(Overflow treatment) {
    return new EncodeOptions(addSpecialTokens, maxLength, treatment, pairTruncation, stride);
  }

  /**
   * {@return these options with another choice of the text that is cut}
   *
   * @param choice which text of a pair gives up tokens
   */
  public EncodeOptions withPairTruncation(PairTruncation choice) {
    return new EncodeOptions(addSpecialTokens, maxLength, overflow, choice, stride);
  }

  /**
   * {@return these options with windows that share {@code tokens} tokens}
   *
   * @param tokens at least 0, fewer than the tokens of text in a window
   */
  public EncodeOptions withStride(int tokens) {
    return new EncodeOptions(addSpecialTokens, maxLength, overflow, pairTruncation, tokens);
  }
}
