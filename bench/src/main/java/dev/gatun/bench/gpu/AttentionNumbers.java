package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.generation.Philox;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/**
 * The operands of an attention row, and what the host computes of them in double: causal or not,
 * with a soft cap, ALiBi, a bias [1, heads, queries, keys] or dropout where the row says so.
 */
final class AttentionNumbers {
  private static final long SEED = 20261125;

  final DType dtype;
  final long batch;
  final int heads;
  final int kvHeads;
  final int size;
  final int queries;
  final int keys;
  final Input query;
  final Input key;
  final Input value;
  final Input bias;
  final double scale;
  private final boolean causal;
  private final double softcap;
  private final double dropout;
  // Of ALiBi, or null.
  private final float[] slopes;
  private final Operand slopesOperand;

  AttentionNumbers(GpuOperands operands, JsonNode row) {
    dtype = DType.valueOf(row.get("dtype").asText());
    batch = row.get("batch").asLong();
    heads = row.get("heads").asInt();
    kvHeads = row.get("kv_heads").asInt();
    size = row.get("head_size").asInt();
    queries = row.get("queries").asInt();
    keys = row.get("keys").asInt();
    causal = row.get("causal").asBoolean();
    softcap = row.path("softcap").asDouble();
    dropout = row.path("dropout").asDouble();
    scale = 1 / Math.sqrt(size);
    query = operands.input(dtype, batch, queries, heads, size);
    key = operands.input(dtype, batch, keys, kvHeads, size);
    value = operands.input(dtype, batch, keys, kvHeads, size);
    slopes = row.path("alibi").asBoolean() ? slopes(heads) : null;
    slopesOperand = slopes == null ? null : operands.given(slopes);
    bias = row.path("bias").asBoolean() ? operands.input(DType.F32, 1, heads, queries, keys) : null;
  }

  /** Those of models with as many heads: powers of the one of the first head. */
  private static float[] slopes(int heads) {
    float[] slopes = new float[heads];
    for (int head = 0; head < heads; head++) {
      slopes[head] = (float) Math.pow(2, -8.0 * (head + 1) / heads);
    }
    return slopes;
  }

  /**
   * @param lse null for none
   */
  ScaledDotProductAttention call(Operand output, Operand lse) {
    return new ScaledDotProductAttention(
        query.operand(),
        key.operand(),
        value.operand(),
        output,
        null,
        AttentionKeys.PADDED,
        new AttentionScores(
            (float) scale,
            (float) softcap,
            bias == null ? null : bias.operand(),
            slopesOperand,
            null),
        AttentionMask.of(causal ? Causal.BOTTOM_RIGHT : Causal.NONE),
        dropout == 0 ? Dropout.NONE : new Dropout((float) dropout, SEED),
        lse,
        null);
  }

  /** A query of a head. */
  record Query(long batch, int head, int token) {}

  /** The query that a row of [batch, queries, heads] is. */
  Query query(long row) {
    return new Query(row / heads / queries, (int) (row % heads), (int) (row / heads % queries));
  }

  /** Where a query stands among the keys, and how many it sees. */
  private int place(Query of) {
    return causal ? of.token + keys - queries : of.token;
  }

  int seen(Query of) {
    return causal ? Math.min(keys, place(of) + 1) : keys;
  }

  double[] query(Query of) {
    return query.at(((of.batch * queries + of.token) * heads + of.head) * size, size);
  }

  /** Where the row of a key, or a value, of a query's head begins. */
  long keyPlace(Query of, int k) {
    return ((of.batch * keys + k) * kvHeads + of.head / (heads / kvHeads)) * size;
  }

  static double dot(double[] a, Input b, long place) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b.at(place + i);
    }
    return sum;
  }

  /** The score of a key before what is added to it. */
  private double capped(double[] q, Query of, int k) {
    double score = dot(q, key, keyPlace(of, k)) * scale;
    return softcap == 0 ? score : softcap * Math.tanh(score / softcap);
  }

  private double score(double capped, Query of, int k) {
    double score = capped;
    if (slopes != null) {
      score -= slopes[of.head] * Math.abs(place(of) - k);
    }
    if (bias != null) {
      score += bias.at(((long) of.head * queries + of.token) * keys + k);
    }
    return score;
  }

  double score(double[] q, Query of, int k) {
    return score(capped(q, of, k), of, k);
  }

  /** What the gradient of a score is multiplied by for that of the product of query and key. */
  double slope(double[] q, Query of, int k) {
    double share = softcap == 0 ? 0 : capped(q, of, k) / softcap;
    return 1 - share * share;
  }

  /** What dropout multiplies the probability of a key by. */
  double kept(Query of, int k) {
    if (dropout == 0) {
      return 1;
    }
    int word = Philox.words(SEED, k | (long) of.token << 32, of.head | of.batch << 32)[0];
    float probability = (float) dropout;
    return Integer.toUnsignedLong(word) < (long) (probability * 0x1p32)
        ? 0
        : 1 / (1.0 - probability);
  }

  /** The probabilities of the keys that a query sees, before dropout. */
  double[] probabilities(Query of) {
    double[] q = query(of);
    double[] p = new double[seen(of)];
    double most = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < p.length; k++) {
      p[k] = score(q, of, k);
      most = Math.max(most, p[k]);
    }
    double total = 0;
    for (int k = 0; k < p.length; k++) {
      p[k] = Math.exp(p[k] - most);
      total += p[k];
    }
    for (int k = 0; k < p.length; k++) {
      p[k] /= total;
    }
    return p;
  }
}
