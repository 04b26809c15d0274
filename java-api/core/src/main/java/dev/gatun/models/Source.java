package dev.gatun.models;

import dev.gatun.nn.FullAttention;
import dev.gatun.nn.KvStep;
import dev.gatun.ops.Attention;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/** What the tokens of a decoder see of an encoder's: a sequence of a source for each of theirs. */
sealed interface Source {
  /** What is added to the scores; null for nothing. */
  default Tensor padding() {
    return null;
  }

  /** A layer's keys and values. */
  Attention.Keys keys(CrossDecoder decoder, FullAttention attention, int layer);

  /**
   * The encoder's hidden states, of which each layer makes keys and values when it runs.
   *
   * @param encoded [source tokens, hidden]
   * @param padding what is added to the scores where padding was packed; null where it was not
   */
  record Whole(Tensor encoded, Segments segments, Tensor padding) implements Source {
    @Override
    public Attention.Keys keys(CrossDecoder decoder, FullAttention attention, int layer) {
      return attention.keys(decoder.keysAndValues(layer, encoded), segments);
    }
  }

  /** Keys and values that a cache has: computed once a source, whoever sees them. */
  record Cached(KvStep step) implements Source {
    @Override
    public Attention.Keys keys(CrossDecoder decoder, FullAttention attention, int layer) {
      return step.view(layer);
    }
  }
}
