package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al., arXiv 1706.03762; tiled with online softmax as in
 * FlashAttention, arXiv 2205.14135):
 *
 * <pre>
 * output[b, i, h] = Σⱼ softmaxⱼ(score[b, h, i, j]) value[b, j, g]
 * </pre>
 *
 * with the scores of {@link AttentionScores}, {@code g = h / (heads / kv_heads)} and j over the
 * keys that the mask leaves. A query that may see nothing gives 0, and -∞ as its log-sum-exp, or
 * its sink where there is one. A bias of -1e9 is a number, not a mask.
 *
 * <p>A padded batch has query [batch, query_length, heads, head_size], key [batch, key_length,
 * kv_heads, head_size], value [batch, key_length, kv_heads, value_head_size] and output [batch,
 * query_length, heads, value_head_size]. Ragged queries and output, and ragged keys and values,
 * have no batch axis: their first axis is tokens, cut into sequences by the offsets, and
 * query_length and key_length mean the longest sequence's. Paged keys and values are [pages,
 * page_size, kv_heads, ...]. The last axis of each lies without gaps, the others may be strided.
 *
 * <p>Keys and values may be signed bytes, with scales: what they mean may be rounded to query's
 * dtype before it is computed with.
 *
 * @param query F32, BF16 or F16
 * @param key of query's dtype, or I8 where keys have scales
 * @param value as key
 * @param output of query's dtype
 * @param queryOffsets the sequences of ragged queries, or null
 * @param keys how keys and values lie
 * @param scores what becomes of the scores
 * @param mask which keys a query sees
 * @param dropout of the probabilities
 * @param lse receives the natural log-sum-exp of the scores, sink included, F32 [batch, heads,
 *     query_length] contiguous; or null
 * @param weights receives the probabilities after dropout, F32 [batch, heads, query_length,
 *     key_length] contiguous; or null. Of a sequence shorter than the longest only its own part is
 *     written.
 */
public record ScaledDotProductAttention(
    Operand query,
    Operand key,
    Operand value,
    Operand output,
    Offsets queryOffsets,
    AttentionKeys keys,
    AttentionScores scores,
    AttentionMask mask,
    Dropout dropout,
    Operand lse,
    Operand weights)
    implements AttentionCall {
  private static final String NAME = "scaled_dot_product_attention";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ScaledDotProductAttention {
    Checks.required(NAME, "keys", keys);
    Checks.required(NAME, "scores", scores);
    Checks.required(NAME, "mask", mask);
    Checks.required(NAME, "dropout", dropout);
    DType dtype = Checks.floats(NAME, "query", query);
    Checks.operand(NAME, "query", query, dtype, queryOffsets != null ? 3 : 4);
    Checks.operand(NAME, "output", output, dtype, query.rank());
    DType stored = CacheScales.stored(keys.scales(), dtype);
    Checks.operand(NAME, "key", key, stored, keys.offsets() != null ? 3 : 4);
    Checks.operand(NAME, "value", value, stored, key.rank());
    checkShapes(query, key, value, output, queryOffsets, keys);
    for (Operand operand : List.of(query, key, value, output)) {
      Checks.rows(NAME, "last axis of", operand);
    }
    long batch = queryOffsets != null ? queryOffsets.sequences() : query.size(0);
    long queries = queryOffsets != null ? queryOffsets.longest() : query.size(1);
    long heads = query.size(-2);
    long keyCount = keyLength(key, keys);
    if (mask.keys() != null) {
      Checks.shaped(NAME, "key mask", mask.keys(), DType.U8, batch, keyCount);
      Checks.contiguous(NAME, "key mask", mask.keys());
    }
    if (scores.bias() != null) {
      Checks.broadcast(NAME, "bias", scores.bias(), batch, heads, queries, keyCount);
    }
    if (scores.slopes() != null) {
      Checks.shaped(NAME, "slopes", scores.slopes(), DType.F32, heads);
      Checks.contiguous(NAME, "slopes", scores.slopes());
    }
    if (scores.sinks() != null) {
      Checks.shaped(NAME, "sinks", scores.sinks(), DType.F32, heads);
      Checks.contiguous(NAME, "sinks", scores.sinks());
    }
    if (lse != null) {
      Checks.shaped(NAME, "lse", lse, DType.F32, batch, heads, queries);
      Checks.contiguous(NAME, "lse", lse);
    }
    if (weights != null) {
      Checks.shaped(NAME, "weights", weights, DType.F32, batch, heads, queries, keyCount);
      Checks.contiguous(NAME, "weights", weights);
    }
    Checks.apart(NAME, "output", output);
    Checks.disjoint(
        new Operands(
            NAME,
            inputs(query, key, value, queryOffsets, keys, scores, mask),
            Checks.present(output, lse, weights)));
  }

  private static void checkShapes(
      Operand query,
      Operand key,
      Operand value,
      Operand output,
      Offsets queryOffsets,
      AttentionKeys keys) {
    DType dtype = query.dtype();
    long heads = query.size(-2);
    long kvHeads = key.size(-2);
    if (kvHeads == 0 ? heads != 0 : heads % kvHeads != 0) {
      throw Checks.bad(NAME, "query %s has %d heads, not a multiple of key %s", query, heads, key);
    }
    long size = query.size(-1);
    long width = value.size(-1);
    long batch = queryOffsets != null ? queryOffsets.sequences() : query.size(0);
    if (keys.offsets() != null) {
      if (keys.offsets().sequences() != batch) {
        throw Checks.bad(
            NAME, "keys have %d sequences, queries %d", keys.offsets().sequences(), batch);
      }
      Checks.shaped(NAME, "key", key, key.dtype(), keys.offsets().tokens(), kvHeads, size);
      Checks.shaped(NAME, "value", value, key.dtype(), keys.offsets().tokens(), kvHeads, width);
    } else {
      checkRows(key, value, keys, batch, size);
    }
    if (keys.scales() != null) {
      keys.scales().check(NAME, key, value);
    }
    if (queryOffsets != null) {
      Checks.shaped(NAME, "query", query, dtype, queryOffsets.tokens(), heads, size);
      Checks.shaped(NAME, "output", output, dtype, queryOffsets.tokens(), heads, width);
    } else {
      Checks.shaped(NAME, "output", output, dtype, batch, query.size(1), heads, width);
    }
  }

  /** Checks keys and values that have a row for each sequence or page. */
  private static void checkRows(
      Operand key, Operand value, AttentionKeys keys, long batch, long size) {
    DType dtype = key.dtype();
    long kvHeads = key.size(-2);
    long rows = keys.isPaged() ? key.size(0) : batch;
    Checks.shaped(NAME, "key", key, dtype, rows, key.size(1), kvHeads, size);
    Checks.shaped(NAME, "value", value, dtype, rows, key.size(1), kvHeads, value.size(-1));
    if (keys.lengths() != null) {
      long room = key.size(1);
      if (keys.isPaged()) {
        Checks.shaped(
            NAME, "block table", keys.blockTable(), DType.I32, batch, keys.blockTable().size(1));
        Checks.below(NAME, "block table", keys.pages(), rows);
        if (rows == 0 && keys.longest() > 0) {
          throw Checks.bad(
              NAME, "the cache has no page, and a sequence has %d keys", keys.longest());
        }
        room =
            Checks.counted(
                NAME,
                "the keys of a sequence in pages",
                keys.blockTable(),
                () -> Math.multiplyExact(key.size(1), keys.blockTable().size(1)));
      }
      if (keys.lengths().values().size(0) != batch) {
        throw Checks.bad(
            NAME, "%d key lengths, expected %d", keys.lengths().values().size(0), batch);
      }
      if (keys.longest() > room) {
        throw Checks.bad(NAME, "key length %d, the keys have room for %d", keys.longest(), room);
      }
    }
  }

  private static long keyLength(Operand key, AttentionKeys keys) {
    return keys.offsets() != null || keys.isPaged() ? keys.longest() : key.size(1);
  }

  private static List<Operand> inputs(
      Operand query,
      Operand key,
      Operand value,
      Offsets queryOffsets,
      AttentionKeys keys,
      AttentionScores scores,
      AttentionMask mask) {
    return Checks.both(
        Checks.present(
            query,
            key,
            value,
            queryOffsets == null ? null : queryOffsets.values(),
            scores.bias(),
            scores.slopes(),
            scores.sinks(),
            mask.keys()),
        keys.operands());
  }

  /**
   * {@return plain attention over a padded batch: no mask, bias or further outputs}
   *
   * @param query F32, BF16 or F16 [batch, query_length, heads, head_size]
   * @param key of query's dtype [batch, key_length, kv_heads, head_size]
   * @param value of query's dtype [batch, key_length, kv_heads, value_head_size]
   * @param output of query's dtype [batch, query_length, heads, value_head_size]
   * @param scale what scores are multiplied by
   */
  public static ScaledDotProductAttention of(
      Operand query, Operand key, Operand value, Operand output, float scale) {
    return new ScaledDotProductAttention(
        query,
        key,
        value,
        output,
        null,
        AttentionKeys.PADDED,
        AttentionScores.scaled(scale),
        AttentionMask.NONE,
        Dropout.NONE,
        null,
        null);
  }

  /** {@return the number of sequences} */
  public long batch() {
    return queryOffsets != null ? queryOffsets.sequences() : query.size(0);
  }

  /** {@return the number of queries of the longest sequence} */
  public long queryLength() {
    return queryOffsets != null ? queryOffsets.longest() : query.size(1);
  }

  /** {@return the number of keys of the longest sequence} */
  public long keyLength() {
    return keyLength(key, keys);
  }

  /**
   * {@return the stride of the bias on an axis, 0 where it has one element and is repeated}
   *
   * @param axis an axis of [batch, heads, queries, keys]
   */
  public long biasStride(int axis) {
    return scores.bias().size(axis) == 1 ? 0 : scores.bias().stride(axis);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return inputs(query, key, value, queryOffsets, keys, scores, mask);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(output, lse, weights);
  }
}
