package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
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
   * @param positions I64 [tokens], each from 0 to positions - 1
   * @param interleaved whether neighbours are pairs, and not elements rotary / 2 apart
   * @return of x's shape and dtype; elements of a head from rotary on are x's
   * @throws UnsupportedOperationException when a tape tracks the cosines or sines
   */
  public static Tensor rotaryEmbedding(
      Tensor x, Tensor cosine, Tensor sine, Ids positions, boolean interleaved) {
    Tape tape = Tape.recording();
    if (tape != null) {
      Tape.refuse("rotary_embedding as a table", cosine);
      Tape.refuse("rotary_embedding as a table", sine);
    }
    Node node = tape == null ? null : tape.node("rotary_embedding", x);
    Tensor rotated =
        Calls.run(
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
    if (node != null) {
      LayoutGradients.rotary(node, cosine, sine, positions, interleaved, rotated);
    }
    return rotated;
  }

  /**
   * {@link #rotaryEmbedding} in simple ops.
   *
   * @param x F32, BF16 or F16 [tokens, heads, head_size]
   * @param cosine F32 [positions, rotary / 2]
   * @param sine F32 [positions, rotary / 2]
   * @param positions I64 [tokens], each from 0 to positions - 1
   * @param interleaved whether neighbours are pairs, and not elements rotary / 2 apart
   * @return of x's shape and dtype
   */
  public static Tensor plainRotaryEmbedding(
      Tensor x, Tensor cosine, Tensor sine, Ids positions, boolean interleaved) {
    try (Scope scope = Scope.open()) {
      Tensor y = Layouts.contiguous(x);
      long[] pairs = {x.size(0), 1, cosine.size(1)};
      Tensor cos = Indexing.indexSelect(cosine, 0, positions).reshape(pairs);
      Tensor sin = Indexing.indexSelect(sine, 0, positions).reshape(pairs);
      Tensor first = half(y, cosine.size(1), 0, interleaved);
      Tensor second = half(y, cosine.size(1), 1, interleaved);
      Tensor a = Plain.wide(first);
      Tensor b = Plain.wide(second);
      Tensor turned =
          Elementwise.subtract(Elementwise.multiply(a, cos), Elementwise.multiply(b, sin));
      Tensor other = Elementwise.add(Elementwise.multiply(b, cos), Elementwise.multiply(a, sin));
      Layouts.copy(Elementwise.cast(turned, x.dtype()), first);
      Layouts.copy(Elementwise.cast(other, x.dtype()), second);
      return scope.keep(y);
    }
  }

  /** The first or second elements of the pairs of x [tokens, heads, head_size] without gaps. */
  private static Tensor half(Tensor x, long pairs, int which, boolean interleaved) {
    long[] shape = {x.size(0), x.size(1), pairs};
    long[] strides = {x.size(1) * x.size(2), x.size(2), interleaved ? 2 : 1};
    return x.strided(interleaved ? which : which * pairs, shape, strides);
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
   * @param keyCache of qkv's dtype, or I8 with scales, written in place
   * @param valueCache as keyCache
   * @param scales F32 [rows, room, kv_heads] of caches of signed bytes, written in place; or null
   * @return the queries [tokens, heads, head_size]
   * @throws UnsupportedOperationException when a tape tracks qkv
   */
  public static Tensor rotaryCacheUpdate(
      Tensor qkv,
      Tensor cosine,
      Tensor sine,
      Ids positions,
      boolean interleaved,
      Ids slots,
      Tensor keyCache,
      Tensor valueCache,
      Attention.Scales scales) {
    long heads = heads(qkv, keyCache);
    Tape.refuse("rotary_cache_update", qkv);
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
                    valueCache.operand(),
                    Attention.Scales.operands(scales))),
        qkv,
        cosine,
        sine,
        positions.values(),
        slots.values(),
        keyCache,
        valueCache,
        scales == null ? null : scales.keys(),
        scales == null ? null : scales.values());
  }

  /**
   * {@link #rotaryCacheUpdate} in simple ops.
   *
   * @param qkv F32, BF16 or F16 [tokens, (heads + 2 kv_heads) head_size]
   * @param cosine F32 [positions, rotary / 2]
   * @param sine F32 [positions, rotary / 2]
   * @param positions I64 [tokens], each from 0 to positions - 1
   * @param interleaved whether neighbours are pairs, and not elements rotary / 2 apart
   * @param slots I64 [tokens], distinct; -1 for a token whose key and value are not kept
   * @param keyCache [rows, room, kv_heads, head_size] of qkv's dtype, or I8 with scales, written in
   *     place
   * @param valueCache as keyCache
   * @param scales F32 [rows, room, kv_heads] of caches of signed bytes, written in place; or null
   * @return the queries [tokens, heads, head_size]
   */
  public static Tensor plainRotaryCacheUpdate(
      Tensor qkv,
      Tensor cosine,
      Tensor sine,
      Ids positions,
      boolean interleaved,
      Ids slots,
      Tensor keyCache,
      Tensor valueCache,
      Attention.Scales scales) {
    try (Scope scope = Scope.open()) {
      long heads = heads(qkv, keyCache);
      long kept = keyCache.size(2);
      Tensor query = part(qkv, 0, heads, keyCache);
      Tensor key = part(qkv, heads, kept, keyCache);
      Tensor value = part(qkv, heads + kept, kept, keyCache);
      if (scales == null) {
        write(plainRotaryEmbedding(key, cosine, sine, positions, interleaved), slots, keyCache);
        write(Layouts.contiguous(value), slots, valueCache);
      } else {
        Tensor wide = Plain.wide(key);
        Tensor turned = plainRotaryEmbedding(wide, cosine, sine, positions, interleaved);
        encode(turned, slots, keyCache, scales.keys());
        encode(Layouts.contiguous(value), slots, valueCache, scales.values());
      }
      return scope.keep(plainRotaryEmbedding(query, cosine, sine, positions, interleaved));
    }
  }

  /** Some heads of a packed projection. */
  private static Tensor part(Tensor qkv, long first, long heads, Tensor cache) {
    long size = cache.size(3);
    return qkv.strided(
        first * size,
        new long[] {qkv.size(0), heads, size},
        new long[] {qkv.operand().stride(0), size, 1});
  }

  private static void write(Tensor rows, Ids slots, Tensor cache) {
    long width = cache.size(2) * cache.size(3);
    Tensor whole = cache.operand().isContiguous() ? cache : Layouts.contiguous(cache);
    Indexing.scatterRowsInto(
        whole.reshape(cache.size(0) * cache.size(1), width),
        rows.reshape(rows.size(0), width),
        slots);
    if (whole != cache) {
      Layouts.copy(whole, cache);
    }
  }

  /** Writes rows [tokens, kv_heads, head_size] as signed bytes with a scale each. */
  private static void encode(Tensor rows, Ids slots, Tensor cache, Tensor scales) {
    Quantization.Codes codes = Quantization.plainQuantizeTokens(rows, Quantization.Offsets.NONE);
    write(codes.codes(), slots, cache);
    write(
        codes.scales().reshape(rows.size(0), rows.size(1), 1),
        slots,
        scales.reshape(Calls.withLast(cache, 1)));
  }

  /** The queries' heads of a packed projection. */
  private static long heads(Tensor qkv, Tensor keyCache) {
    Calls.axes("rotary_cache_update", "qkv", qkv, 2);
    Calls.axes("rotary_cache_update", "key cache", keyCache, 4);
    long size = keyCache.size(3);
    return size == 0 ? 0 : Math.max(0, qkv.size(1) / size - 2 * keyCache.size(2));
  }
}
