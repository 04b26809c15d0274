package dev.gatun.generation;

import java.util.Locale;

/**
 * Whether guessing pays: the time of a token with it and without. Some steps are made without
 * first; guessing that takes more time is off for a while, and then tried again. Ids do not depend
 * on it.
 */
final class Payoff {
  /** Steps without guesses, for their time, before there are any. */
  static final int PLAIN_STEPS = 4;

  /** Steps with guesses after which they are judged. */
  static final int GUESSED_STEPS = 16;

  /** Steps without guesses after those that did not pay. */
  static final int REST = 256;

  private double plainNanos;
  private double plainTokens;
  private int plainSteps;
  private double guessedNanos;
  private double guessedTokens;
  private int guessedSteps;
  private int rest;
  private String reason;

  /** Whether the next step is to have guesses. */
  boolean isWanted() {
    return rest == 0 && plainSteps >= PLAIN_STEPS;
  }

  /** Why there are no guesses now; null where there are. */
  String reason() {
    return rest > 0 ? reason : null;
  }

  /** Counts a step without guesses. */
  void plain(long nanos, int tokens) {
    if (rest > 0 && --rest == 0) {
      plainSteps = 0;
      plainNanos = 0;
      plainTokens = 0;
    }
    plainSteps++;
    plainNanos += nanos;
    plainTokens += tokens;
  }

  /** Counts a step with guesses, the time to make them included. */
  void guessed(long nanos, int tokens) {
    guessedSteps++;
    guessedNanos += nanos;
    guessedTokens += tokens;
    if (guessedSteps < GUESSED_STEPS) {
      return;
    }
    double with = guessedNanos / guessedTokens;
    double without = plainNanos / plainTokens;
    if (with > without) {
      rest = REST;
      reason =
          String.format(
              Locale.ROOT,
              "speculation is off for %d steps: a token took %.3f ms with it, %.3f ms without",
              REST,
              with / 1e6,
              without / 1e6);
    }
    guessedSteps = 0;
    guessedNanos = 0;
    guessedTokens = 0;
  }
}
