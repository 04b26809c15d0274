package dev.gatun.generation;

import dev.gatun.nn.KvSequence;
import java.util.List;

/** The encoder of a model as the scheduler sees it: a request's prompt is its source. */
interface SourceModel {
  /** The most tokens of a source. */
  int maxLength();

  /** Tokens in the vocabulary of sources. */
  int vocabSize();

  /** The token that each target begins with. */
  int startTokenId();

  /** How many tokens of sources to give at once: more are no faster, and take more memory. */
  int batchTokens();

  /**
   * What the decoder sees of each source, in a cache of its own.
   *
   * @throws dev.gatun.nn.KvCacheFullException when there is no room for all of them; nothing has
   *     changed then
   */
  List<KvSequence> encode(List<int[]> sources);
}
