package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * What lies between the projection of queries, keys and values and attention with a key/value
 * cache: splits the packed projection, rotates queries and keys as {@link RotaryEmbedding}, and
 * writes keys and values to their slots of the cache. A row of qkv is the queries' heads, then the
 * keys', then the values'.
 *
 * <p>A cache is [rows, room, kv_heads, head_size] as {@link ScaledDotProductAttention} reads it: a
 * row is a sequence and room its capacity, or a row is a page and room the tokens in it (Kwon et
 * al., arXiv 2309.06180). Slot s is place {@code s mod room} of row {@code s / room}. The slots are
 * distinct; where their bound is unknown all are checked before anything is written, and two equal
 * ones are an error that names both places. Where a backend works behind its caller the error comes
 * with the next read of its memory, and replays of recorded work check bounds alone. Slots that no
 * token has stay as they are.
 *
 * <p>A cache of signed bytes has scales beside it, one for a row of a head: the codes are those of
 * the key as it was turned, in F32, and of the value.
 *
 * @param qkv F32, BF16 or F16 [tokens, (heads + 2 kv_heads) head_size], rows without gaps inside
 * @param cosine F32 [positions, rotary / 2] contiguous
 * @param sine F32 [positions, rotary / 2] contiguous
 * @param positions I64 [tokens] contiguous, each from 0 to positions - 1
 * @param interleaved which elements are pairs
 * @param slots I64 [tokens] contiguous, each from 0 to rows * room - 1; or -1 for a token whose key
 *     and value are not kept
 * @param query of qkv's dtype [tokens, heads, head_size], heads and elements without gaps
 * @param keyCache of qkv's dtype, or I8 where there are scales [rows, room, kv_heads, head_size],
 *     the last axis without gaps, any other strides that keep its elements apart
 * @param valueCache as keyCache
 * @param scales written, of caches of signed bytes, F32 [rows, room, kv_heads] each; or null
 */
public record RotaryCacheUpdate(
    Operand qkv,
    Operand cosine,
    Operand sine,
    Indices positions,
    boolean interleaved,
    Indices slots,
    Operand query,
    Operand keyCache,
    Operand valueCache,
    CacheScales scales)
    implements AttentionCall {

  private static final String NAME = "rotary_cache_update";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public RotaryCacheUpdate {
    DType dtype = Checks.floats(NAME, "qkv", qkv);
    Checks.operand(NAME, "qkv", qkv, dtype, 2);
    Checks.rows(NAME, "qkv", qkv);
    Checks.operand(NAME, "query", query, dtype, 3);
    Checks.operand(NAME, "key cache", keyCache, CacheScales.stored(scales, dtype), 4);
    long tokens = qkv.size(0);
    long size = query.size(2);
    long width =
        Checks.counted(
            NAME,
            "the projection to query",
            query,
            () ->
                Math.multiplyExact(
                    Math.addExact(query.size(1), Math.multiplyExact(2, keyCache.size(2))), size));
    Checks.shaped(NAME, "qkv", qkv, dtype, tokens, width);
    Checks.shaped(NAME, "query", query, dtype, tokens, query.size(1), size);
    Checks.heads(NAME, "query", query);
    cache("key cache", keyCache, keyCache, size);
    cache("value cache", valueCache, keyCache, size);
    if (scales != null) {
      scales.check(NAME, keyCache, valueCache);
    }
    Checks.counted(
        NAME,
        "the slots of key cache",
        keyCache,
        () -> Math.multiplyExact(keyCache.size(0), keyCache.size(1)));
    Checks.rotaryTables(NAME, cosine, sine, "query", query);
    Checks.indices(NAME, "positions", positions, cosine.size(0), tokens);
    Checks.indices(NAME, "slots", slots, keyCache.size(0) * keyCache.size(1), tokens);
    Checks.disjoint(
        new Operands(
            NAME,
            Checks.present(qkv, cosine, sine, positions.values(), slots.values()),
            outputs(query, keyCache, valueCache, scales)));
  }

  private static List<Operand> outputs(
      Operand query, Operand keyCache, Operand valueCache, CacheScales scales) {
    return Checks.both(Checks.present(query, keyCache, valueCache), CacheScales.operands(scales));
  }

  private static void cache(String name, Operand cache, Operand like, long size) {
    Checks.shaped(NAME, name, cache, like.dtype(), like.size(0), like.size(1), like.size(2), size);
    Checks.rows(NAME, name, cache);
    Checks.apart(NAME, name, cache);
  }

  /** {@return the number of slots of a cache} */
  public long slotCount() {
    return keyCache.size(0) * keyCache.size(1);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(qkv, cosine, sine, positions.values(), slots.values());
  }

  @Override
  public List<Operand> outputs() {
    return outputs(query, keyCache, valueCache, scales);
  }
}
