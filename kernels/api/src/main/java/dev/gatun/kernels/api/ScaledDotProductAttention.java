package dev.gatun.kernels.api;

import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al., arXiv 1706.03762; tiled with online softmax as in
 * FlashAttention, arXiv 2205.14135):
 *
 * <pre>
 * output[b, i, h] = Σⱼ softmaxⱼ(scale · query[b, i, h] · key[b, j, g] + bias[b, h, i, j]) value[b, j, g]
 * </pre>
 *
 * with {@code g = h / (heads / kv_heads)} and j over the keys that the causal rule and the key mask
 * leave. A row that may see nothing gives 0, and -∞ as its log-sum-exp. A bias of -1e9 is a number,
 * not a mask.
 *
 * <p>A padded batch has query [batch, query_length, heads, head_size], key [batch, key_length,
 * kv_heads, head_size], value [batch, key_length, kv_heads, value_head_size] and output [batch,
 * query_length, heads, value_head_size]. A ragged batch has no batch axis: its first axis is
 * tokens, cut into sequences by the offsets, and query_length and key_length mean the longest
 * sequence's. The last axis of each lies without gaps, the others may be strided.
 *
 * @param query F32
 * @param key F32
 * @param value F32
 * @param output F32
 * @param queryOffsets the ragged batch's sequences, or null
 * @param keyOffsets the same for keys and values; null exactly when queryOffsets is
 * @param keyMask U8 [batch, key_length] contiguous, 0 where a key is not seen; or null
 * @param bias F32 [batch or 1, heads or 1, query_length or 1, key_length or 1]; or null
 * @param scale the factor of the scores, usually 1/√head_size
 * @param causal which keys a query sees by position
 * @param lse receives the natural log-sum-exp, F32 [batch, heads, query_length] contiguous; or null
 * @param weights receives the probabilities, F32 [batch, heads, query_length, key_length]
 *     contiguous; or null. Of a ragged batch only each sequence's own part is written.
 */
public record ScaledDotProductAttention(
    Operand query,
    Operand key,
    Operand value,
    Operand output,
    Offsets queryOffsets,
    Offsets keyOffsets,
    Operand keyMask,
    Operand bias,
    float scale,
    Causal causal,
    Operand lse,
    Operand weights)
    implements KernelCall {

  private static final String NAME = "scaled_dot_product_attention";

  public ScaledDotProductAttention {
    if ((queryOffsets == null) != (keyOffsets == null)) {
      throw Checks.bad(NAME, "query and key offsets: both or none");
    }
    Checks.required(NAME, "causal", causal);
    if (Float.isNaN(scale) || Float.isInfinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    boolean ragged = queryOffsets != null;
    int rank = ragged ? 3 : 4;
    Checks.operand(NAME, "query", query, DType.F32, rank);
    Checks.operand(NAME, "key", key, DType.F32, rank);
    Checks.operand(NAME, "value", value, DType.F32, rank);
    Checks.operand(NAME, "output", output, DType.F32, rank);
    long heads = query.size(-2);
    long kvHeads = key.size(-2);
    if (kvHeads == 0 ? heads != 0 : heads % kvHeads != 0) {
      throw Checks.bad(NAME, "query %s has %d heads, not a multiple of key %s", query, heads, key);
    }
    long width = value.size(-1);
    if (ragged) {
      if (queryOffsets.sequences() != keyOffsets.sequences()) {
        throw Checks.bad(
            NAME,
            "query offsets have %d sequences, key offsets %d",
            queryOffsets.sequences(),
            keyOffsets.sequences());
      }
      Checks.shaped(NAME, "query", query, DType.F32, queryOffsets.tokens(), heads, query.size(-1));
      Checks.shaped(NAME, "key", key, DType.F32, keyOffsets.tokens(), kvHeads, query.size(-1));
      Checks.shaped(NAME, "value", value, DType.F32, keyOffsets.tokens(), kvHeads, width);
      Checks.shaped(NAME, "output", output, DType.F32, queryOffsets.tokens(), heads, width);
    } else {
      Checks.shaped(
          NAME, "key", key, DType.F32, query.size(0), key.size(1), kvHeads, query.size(-1));
      Checks.shaped(NAME, "value", value, DType.F32, query.size(0), key.size(1), kvHeads, width);
      Checks.shaped(NAME, "output", output, DType.F32, query.size(0), query.size(1), heads, width);
    }
    Checks.rows(NAME, "query", query);
    Checks.rows(NAME, "key", key);
    Checks.rows(NAME, "value", value);
    Checks.rows(NAME, "output", output);
    long batch = ragged ? queryOffsets.sequences() : query.size(0);
    long queries = ragged ? queryOffsets.longest() : query.size(1);
    long keys = ragged ? keyOffsets.longest() : key.size(1);
    if (keyMask != null) {
      Checks.shaped(NAME, "key mask", keyMask, DType.U8, batch, keys);
      Checks.contiguous(NAME, "key mask", keyMask);
    }
    if (bias != null) {
      Checks.operand(NAME, "bias", bias, DType.F32, 4);
      long[] full = {batch, heads, queries, keys};
      for (int axis = 0; axis < 4; axis++) {
        if (bias.size(axis) != full[axis] && bias.size(axis) != 1) {
          throw Checks.bad(
              NAME,
              "bias is %s, expected [%d, %d, %d, %d] or 1 on an axis",
              bias,
              batch,
              heads,
              queries,
              keys);
        }
      }
    }
    if (lse != null) {
      Checks.shaped(NAME, "lse", lse, DType.F32, batch, heads, queries);
      Checks.contiguous(NAME, "lse", lse);
    }
    if (weights != null) {
      Checks.shaped(NAME, "weights", weights, DType.F32, batch, heads, queries, keys);
      Checks.contiguous(NAME, "weights", weights);
    }
    for (int axis = 0; axis < rank; axis++) {
      if (output.stride(axis) == 0 && output.size(axis) > 1) {
        throw Checks.bad(NAME, "output %s has stride 0 on axis %d", output, axis);
      }
    }
    Checks.disjoint(
        new Operands(
            NAME,
            Checks.present(query, key, value, keyMask, bias),
            Checks.present(output, lse, weights)));
  }

  /** Plain attention over a padded batch: no mask, bias or further outputs. */
  public static ScaledDotProductAttention of(
      Operand query, Operand key, Operand value, Operand output, float scale) {
    return new ScaledDotProductAttention(
        query, key, value, output, null, null, null, null, scale, Causal.NONE, null, null);
  }

  /** The number of sequences. */
  public long batch() {
    return queryOffsets != null ? queryOffsets.sequences() : query.size(0);
  }

  /** The number of queries of the longest sequence. */
  public long queryLength() {
    return queryOffsets != null ? queryOffsets.longest() : query.size(1);
  }

  /** The number of keys of the longest sequence. */
  public long keyLength() {
    return keyOffsets != null ? keyOffsets.longest() : key.size(1);
  }

  /** Stride of the bias on an axis, 0 where it has one element and is repeated. */
  public long biasStride(int axis) {
    return bias.size(axis) == 1 ? 0 : bias.stride(axis);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(query, key, value, keyMask, bias);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(output, lse, weights);
  }
}
