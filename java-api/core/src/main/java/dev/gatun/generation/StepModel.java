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
   * @param to the place behind the last token; what follows it is wanted if it is the last of all
   * @param drafts tokens that may come behind the history, to be verified in the same step
   * @param draws how what follows the last token, and each draft, is chosen; null where the logits
   *     are wanted, {@link Draw#NONE} where their log-softmax is
   * @param source what the model's encoder made of the request's prompt; null without an encoder
   */
  record Work(
      KvSequence sequence,
      TokenHistory history,
      int from,
      int to,
      List<Integer> drafts,
      List<Draw> draws,
      KvSequence source) {
    /** Work of a model without an encoder. */
    Work(
        KvSequence sequence,
        TokenHistory history,
        int from,
        int to,
        List<Integer> drafts,
        List<Draw> draws) {
      this(sequence, history, from, to, drafts, draws, null);
    }

    /** Tokens whose logits are wanted. */
    int wanted() {
      return to == history.length() ? 1 + drafts.size() : 0;
    }

    int count() {
      return to - from + drafts.size();
    }

    Work withoutDrafts() {
      List<Draw> first = draws == null ? null : draws.subList(0, 1);
      return new Work(sequence, history, from, to, List.of(), first, source);
    }

    /** All of the tokens. */
    long[] ids() {
      long[] ids = new long[count()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = from + i < to ? history.get(from + i) : drafts.get(from + i - to);
      }
      return ids;
    }
  }

  /**
   * What follows a token.
   *
   * @param id the token that was chosen; -1 where that is to be done by the logits
   * @param logits [vocabulary], or their log-softmax where that was wanted, or null
   */
  record Next(int id, float[] logits) {}

  KvCache cache();

  /** The encoder of the requests' prompts; null for a model that goes on from these. */
  default SourceModel encoder() {
    return null;
  }

  /** The most tokens of a sequence. */
  int maxLength();

  /** Tokens in the vocabulary. */
  int vocabSize();

  /**
   * Runs a step; the sequences have the tokens then, drafts too.
   *
   * @return for each work what follows its last token of the history, and each draft; none where
   *     nothing is wanted
   */
  List<List<Next>> step(List<Work> works);

  @Override
  void close();
}
