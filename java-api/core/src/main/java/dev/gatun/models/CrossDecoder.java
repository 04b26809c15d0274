package dev.gatun.models;

import dev.gatun.nn.KvCache;
import dev.gatun.tensor.Tensor;

/** A decoder whose tokens also see those of an encoder. */
interface CrossDecoder extends Decoder {
  /**
   * What a layer's attention sees of a source.
   *
   * @param encoded [source tokens, hidden] of the encoder
   * @return [source tokens, 2 heads head_size]: the keys' heads, then the values'
   */
  Tensor keysAndValues(int layer, Tensor encoded);

  /** What a cache keeps of a source's token, in the dtype that attention computes in. */
  KvCache.Shape sourceShape();

  /** A token's place in its padded sequence, whatever the mask says of those before it. */
  @Override
  default long[] positions(BatchLayout layout) {
    return layout.positions();
  }

  @Override
  default boolean isOtherHead(String name) {
    return false;
  }
}
