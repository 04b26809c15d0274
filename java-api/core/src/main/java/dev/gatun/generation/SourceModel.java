package dev.gatun.generation;

import dev.gatun.nn.KvSequence;

/** The encoder of a model as the scheduler sees it: a request's prompt is its source. */
interface SourceModel {
  /** The most tokens of a source. */
  int maxLength();

  /** Tokens in the vocabulary of sources. */
  int vocabSize();

  /** The token that each target begins with. */
  int startTokenId();

  /**
   * What the decoder sees of a source, in a cache of its own.
   *
   * @throws dev.gatun.nn.KvCacheFullException when there is no room for it; nothing has changed
   *     then
   */
  KvSequence encode(int[] ids);
}
