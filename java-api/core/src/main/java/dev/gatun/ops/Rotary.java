package dev.gatun.ops;

import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/** Rotary position embedding (Su et al., arXiv 2104.09864), alone and on the way to a cache. */
public final class Rotary {
  private Rotary() {}

  /**
   * Rotates the pairs of each head by the angle of the token's position.
   *
   * @param x F32, BF16 or F16 [tokens, heads, head_size]
   * @param cosine F32 [positions, rotary / 2]
   * @param sine F32 [positions, rotary / 2]
   * @param positions I64 [tokens]
   * @param interleaved whether neighbours are pairs, and not elements rotary / 2 apart
   */
  public static Tensor rotaryEmbedding(
      Tensor x, Tensor cosine, Tensor sine, Ids positions, boolean interleaved) {
    return Calls.run(
        Tensor.empty(x.device(), x.dtype(), x.shape()),
        (k, y) ->
            k.run(
                new RotaryEmbedding(
                    x.operand(),
                    cosine.operand(),
                    sine.operand(),
                    positions.indices(),
                    interleaved,
                    y.operand())),
        x,
        cosine,
        sine,
        positions.values());
  }

  /**
   * Splits a packed projection, rotates its queries and keys, and writes keys and values to their
   * slots of a cache [rows, room, kv_heads, head_size]: slot s is place {@code s mod room} of row
   * {@code s / room}, a row being a sequence or a page.
   *
   * @param qkv F32, BF16 or F16 [tokens, (heads + 2 kv_heads) head_size]
   * @param cosine F32 [positions, rotary / 2]
   * @param sine F32 [positions, rotary / 2]
   * @param positions I64 [tokens]
   * @param interleaved whether neighbours are pairs, and not elements rotary / 2 apart
   * @param slots I64 [tokens], distinct; -1 for a token whose key and value are not kept
   * @param keyCache of qkv's dtype, written in place
   * @param valueCache as keyCache
   * @return the queries [tokens, heads, head_size]
   */
  public static Tensor rotaryCacheUpdate(
      Tensor qkv,
      Tensor cosine,
      Tensor sine,
      Ids positions,
      boolean interleaved,
      Ids slots,
      Tensor keyCache,
      Tensor valueCache) {
    long heads = heads(qkv, keyCache);
    return Calls.run(
        Tensor.empty(qkv.device(), qkv.dtype(), qkv.size(0), heads, keyCache.size(3)),
        (k, query) ->
            k.run(
                new RotaryCacheUpdate(
                    qkv.operand(),
                    cosine.operand(),
                    sine.operand(),
                    positions.indices(),
                    interleaved,
                    slots.indices(),
                    query.operand(),
                    keyCache.operand(),
                    valueCache.operand())),
        qkv,
        cosine,
        sine,
        positions.values(),
        slots.values(),
        keyCache,
        valueCache);
  }

  /** The queries' heads of a packed projection. */
  private static long heads(Tensor qkv, Tensor keyCache) {
    Calls.axes("rotary_cache_update", "qkv", qkv, 2);
    Calls.axes("rotary_cache_update", "key cache", keyCache, 4);
    long size = keyCache.size(3);
    return size == 0 ? 0 : Math.max(0, qkv.size(1) / size - 2 * keyCache.size(2));
  }
}
