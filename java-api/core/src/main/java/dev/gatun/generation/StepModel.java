package dev.gatun.generation;

import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import java.util.List;

/** A model as the scheduler sees it: it runs steps of sequences in a cache. */
interface StepModel extends AutoCloseable {
  /**
   * The next tokens of a sequence.
   *
   * @param sequence holds the tokens of the history before {@code from}
   * @param to the place behind the last token; its logits are wanted if it is the last of all
   */
  record Work(KvSequence sequence, TokenHistory history, int from, int to) {
    boolean isWanted() {
      return to == history.length();
    }

    int count() {
      return to - from;
    }
  }

  KvCache cache();

  /** The most tokens of a sequence. */
  int maxLength();

  /** Tokens in the vocabulary. */
  int vocabSize();

  /**
   * Runs a step; the sequences have the tokens then.
   *
   * @return the logits [vocabulary] behind each work's last token, null where they are not wanted
   */
  float[][] step(List<Work> works);

  @Override
  void close();
}
