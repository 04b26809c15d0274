package dev.gatun.models;

import dev.gatun.nn.KvSequence;

/**
 * The next tokens of a sequence that is in a cache: a prompt or a part of it, one token that was
 * chosen, or some that are to be verified.
 *
 * @param sequence of the cache, with its tokens so far
 * @param ids the tokens that come next
 * @param wanted how many of the last ones' scores are wanted, those of what follows each
 * @param source what the model's encoder made of its source, in a cache of its own, which any
 *     number of sequences may share; null for a model without an encoder
 */
public record Chunk(KvSequence sequence, long[] ids, int wanted, KvSequence source) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public Chunk {
    if (sequence == null || ids == null) {
      throw new IllegalArgumentException("chunk: the sequence or the ids are missing");
    }
    if (wanted < 0 || wanted > ids.length) {
      throw new IllegalArgumentException(
          "chunk: the scores of %d tokens are wanted, it has %d".formatted(wanted, ids.length));
    }
  }

  /**
   * The next tokens of a model without an encoder.
   *
   * @param sequence of the cache, with its tokens so far
   * @param ids the tokens that come next
   * @param wanted how many of the last ones' scores are wanted, those of what follows each
   */
  public Chunk(KvSequence sequence, long[] ids, int wanted) {
    this(sequence, ids, wanted, null);
  }

  /**
   * {@return the same tokens with a source}
   *
   * @param other what the model's encoder made of the source; null for none
   */
  public Chunk withSource(KvSequence other) {
    return new Chunk(sequence, ids, wanted, other);
  }

  /**
   * {@return a chunk of which the scores of what follows the last token are wanted; none of no
   * tokens}
   *
   * @param sequence of the cache, with its tokens so far
   * @param ids the tokens that come next
   */
  public static Chunk of(KvSequence sequence, long... ids) {
    return new Chunk(sequence, ids, Math.min(1, ids.length));
  }

  KvSequence requireSource() {
    if (source == null) {
      throw new IllegalArgumentException(
          "chunk: the source is missing, which a model with an encoder needs");
    }
    return source;
  }
}
