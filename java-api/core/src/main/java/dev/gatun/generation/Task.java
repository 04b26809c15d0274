package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import java.util.List;

/**
 * Sequences that are computed together: one, or the beams of a search. Has no thread of its own.
 */
interface Task {
  Request request();

  /** The task of the same request that computes the prompt for this one too; null for none. */
  Task first();

  /** The sequences that go on; the order is that of their logits. */
  List<Slot> slots();

  /**
   * How what follows a slot's token is chosen on the device; null where its logits are wanted,
   * {@link Draw#NONE} where their log-softmax is.
   */
  default Draw draw(Slot slot, int position) {
    return null;
  }

  /** Tokens that may come next, to be verified in a step. */
  default List<Integer> guesses() {
    return List.of();
  }

  /** Begins what can be done while the model computes what follows the slots' tokens. */
  default void prepare() {}

  /** How many sequences there may come to be. */
  int width();

  /**
   * Goes on by a token, when all tokens of all sequences are in the cache.
   *
   * @param next what follows each slot's tokens
   * @return whether the task has ended; it has told the request so
   */
  boolean advance(List<List<Next>> next);

  /** Gives back what guesses need. */
  default void close() {}

  /** Tells the request that this ends before its time. */
  void end(FinishReason reason);
}
