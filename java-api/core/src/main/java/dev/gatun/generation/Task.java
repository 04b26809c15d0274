package dev.gatun.generation;

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

  /** How many sequences there may come to be. */
  int width();

  /**
   * Goes on by a token, when all tokens of all sequences are in the cache.
   *
   * @param logits of each slot [vocabulary], changed
   * @return whether the task has ended; it has told the request so
   */
  boolean advance(float[][] logits);

  /** Tells the request that this ends before its time. */
  void end(FinishReason reason);
}
