package dev.gatun.generation;

import java.util.List;

/** Guesses the next tokens of one sequence, for a step of the model to verify them all at once. */
interface Drafter extends AutoCloseable {
  /** The most tokens that a step verifies. */
  int MOST = RecordedSteps.LONGEST_CHUNK - 1;

  /**
   * What may come next.
   *
   * @param most tokens, from 1
   * @return none where there is no guess
   */
  List<Integer> propose(TokenHistory history, int most);

  @Override
  default void close() {}
}
