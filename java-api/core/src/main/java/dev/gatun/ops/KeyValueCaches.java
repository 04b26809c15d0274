package dev.gatun.ops;

import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.tensor.Tensor;

/** Operations on caches of keys and values [rows, room, kv_heads, head_size]. */
public final class KeyValueCaches {
  private KeyValueCaches() {}

  /**
   * Splits a packed projection, rotates its queries and keys, and writes keys and values to their
   * slots: slot s is place {@code s mod room} of row {@code s / room}, a row being a sequence or a
   * page.
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
  public static Tensor rotaryUpdate(
      Tensor qkv,
      Tensor cosine,
      Tensor sine,
      Tensor positions,
      boolean interleaved,
      Tensor slots,
      Tensor keyCache,
      Tensor valueCache) {
    Ops.axes("rotary_cache_update", "qkv", qkv, 2);
    Ops.axes("rotary_cache_update", "key cache", keyCache, 4);
    long size = keyCache.size(3);
    long heads = size == 0 ? 0 : Math.max(0, qkv.size(1) / size - 2 * keyCache.size(2));
    return Ops.run(
        Tensor.empty(qkv.device(), qkv.dtype(), qkv.size(0), heads, size),
        (k, query) ->
            k.run(
                new RotaryCacheUpdate(
                    qkv.operand(),
                    cosine.operand(),
                    sine.operand(),
                    positions.operand(),
                    interleaved,
                    slots.operand(),
                    query.operand(),
                    keyCache.operand(),
                    valueCache.operand())),
        qkv,
        cosine,
        sine,
        positions,
        slots,
        keyCache,
        valueCache);
  }
}
