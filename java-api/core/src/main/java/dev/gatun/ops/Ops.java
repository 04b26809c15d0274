package dev.gatun.ops;

import dev.gatun.kernels.api.Activate;
import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.Add;
import dev.gatun.kernels.api.AttentionKeys;
import dev.gatun.kernels.api.AttentionMask;
import dev.gatun.kernels.api.AttentionScores;
import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.CrossEntropy;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.DisentangledBias;
import dev.gatun.kernels.api.Dropout;
import dev.gatun.kernels.api.Embedding;
import dev.gatun.kernels.api.L2Normalize;
import dev.gatun.kernels.api.LayerNorm;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Offsets;
import dev.gatun.kernels.api.Operand;
import dev.gatun.kernels.api.Pool;
import dev.gatun.kernels.api.PoolingMode;
import dev.gatun.kernels.api.RotaryEmbedding;
import dev.gatun.kernels.api.ScaledDotProductAttention;
import dev.gatun.kernels.api.ScatterRows;
import dev.gatun.kernels.api.Softmax;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * Operations on tensors: each gives a new tensor on the device of its first argument. "Rows" are
 * all axes but the last.
 */
public final class Ops {
  private Ops() {}

  /** A weight [out_features, in_features] in the form that {@link #linear} takes. */
  public static Tensor pack(Tensor weight) {
    if (weight.rank() != 2) {
      throw new IllegalArgumentException(
          "pack: weight is %s, expected [out_features, in_features]".formatted(weight));
    }
    Tensor packed =
        Tensor.empty(
            weight.device(), DType.F32, MatmulPack.packedCount(weight.size(0), weight.size(1)));
    weight.device().kernels().run(new MatmulPack(weight.operand(), packed.operand()));
    Reference.reachabilityFence(weight);
    return packed;
  }

  /**
   * {@code activation(x weightᵀ + bias)}.
   *
   * @param x [..., in_features]
   * @param packed the packed weight
   * @param bias [out_features], or null
   */
  public static Tensor linear(
      Tensor x, Tensor packed, Tensor bias, long outFeatures, Activation activation) {
    Tensor rows = rows(x);
    Tensor y = Tensor.empty(x.device(), DType.F32, withLast(x, outFeatures));
    x.device()
        .kernels()
        .run(
            new Matmul(
                rows.operand(), packed.operand(), operand(bias), activation, rows(y).operand()));
    fence(x, packed, bias);
    return y;
  }

  /** {@code layer_norm(x + residual)}; residual, weight and bias may be null. */
  public static Tensor layerNorm(Tensor x, Tensor residual, Tensor weight, Tensor bias, float eps) {
    Tensor rows = rows(x);
    Tensor y = Tensor.empty(x.device(), DType.F32, x.shape());
    x.device()
        .kernels()
        .run(
            new LayerNorm(
                rows.operand(),
                residual == null ? null : rows(residual).operand(),
                operand(weight),
                operand(bias),
                eps,
                rows(y).operand(),
                null));
    fence(x, residual, weight, bias);
    return y;
  }

  public static Tensor activation(Tensor x, Activation activation) {
    Tensor rows = rows(x);
    Tensor y = Tensor.empty(x.device(), DType.F32, x.shape());
    x.device().kernels().run(new Activate(rows.operand(), activation, rows(y).operand()));
    fence(x);
    return y;
  }

  /** {@code a + b}; b has a's shape, or fewer leading axes, and is then repeated. */
  public static Tensor add(Tensor a, Tensor b) {
    Tensor rows = rows(a);
    Tensor y = Tensor.empty(a.device(), DType.F32, a.shape());
    a.device().kernels().run(new Add(rows.operand(), rows(b).operand(), rows(y).operand()));
    fence(a, b);
    return y;
  }

  public static Tensor softmax(Tensor x) {
    return softmax(x, false);
  }

  public static Tensor logSoftmax(Tensor x) {
    return softmax(x, true);
  }

  private static Tensor softmax(Tensor x, boolean log) {
    Tensor rows = rows(x);
    Tensor y = Tensor.empty(x.device(), DType.F32, x.shape());
    x.device().kernels().run(new Softmax(rows.operand(), log, rows(y).operand()));
    fence(x);
    return y;
  }

  /** The rows of a table [rows, columns] that the ids [count] name: [count, columns]. */
  public static Tensor embedding(Tensor table, Tensor ids) {
    Tensor y = Tensor.empty(table.device(), DType.F32, ids.size(0), table.size(1));
    table.device().kernels().run(new Embedding(table.operand(), ids.operand(), false, y.operand()));
    fence(table, ids);
    return y;
  }

  /** The same, added to y in place; gives y. */
  public static Tensor addEmbedding(Tensor y, Tensor table, Tensor ids) {
    table.device().kernels().run(new Embedding(table.operand(), ids.operand(), true, y.operand()));
    fence(table, ids, y);
    return y;
  }

  /**
   * Zeros of a shape, with x [count, columns] at the rows that ids names.
   *
   * @param shape [..., columns]
   */
  public static Tensor scatterRows(Tensor x, Tensor ids, long... shape) {
    Tensor y = Tensor.zeros(x.device(), shape);
    Tensor rows = y.reshape(x.size(1) == 0 ? 0 : y.count() / x.size(1), x.size(1));
    x.device().kernels().run(new ScatterRows(x.operand(), ids.operand(), rows.operand()));
    fence(x, ids);
    return y;
  }

  /** One vector a sequence of packed tokens [tokens, columns]. */
  public static Tensor pool(Tensor x, Offsets offsets, PoolingMode mode) {
    Tensor y = Tensor.empty(x.device(), DType.F32, offsets.sequences(), x.size(1));
    x.device().kernels().run(new Pool(x.operand(), offsets, mode, y.operand()));
    fence(x);
    return y;
  }

  /** Each row divided by its Euclidean norm, at least 1e-12. */
  public static Tensor l2Normalize(Tensor x) {
    Tensor rows = rows(x);
    Tensor y = Tensor.empty(x.device(), DType.F32, x.shape());
    x.device().kernels().run(new L2Normalize(rows.operand(), 1e-12f, rows(y).operand()));
    fence(x);
    return y;
  }

  /** {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]}. */
  public static Tensor batchedMatmul(Tensor a, Tensor b) {
    Tensor c = Tensor.empty(a.device(), DType.F32, a.size(0), a.size(1), b.size(1));
    a.device().kernels().run(new BatchedMatmul(a.operand(), b.operand(), c.operand()));
    fence(a, b);
    return c;
  }

  /**
   * What attention gives.
   *
   * @param output as the queries, with the values' head size
   * @param weights [batch, heads, query_length, key_length], or null
   */
  public record Attention(Tensor output, Tensor weights) {}

  /**
   * Attention over a ragged batch of packed tokens.
   *
   * @param query [tokens, heads, head_size]; key and value alike
   * @param bias [batch or 1, heads or 1, longest or 1, longest or 1], or null
   * @param withWeights whether to give the probabilities too
   */
  public static Attention attention(
      Tensor query,
      Tensor key,
      Tensor value,
      Offsets offsets,
      Tensor bias,
      float scale,
      boolean withWeights) {
    Tensor output =
        Tensor.empty(query.device(), DType.F32, query.size(0), query.size(1), value.size(2));
    Tensor weights =
        withWeights
            ? Tensor.zeros(
                query.device(),
                offsets.sequences(),
                query.size(1),
                offsets.longest(),
                offsets.longest())
            : null;
    query
        .device()
        .kernels()
        .run(
            new ScaledDotProductAttention(
                query.operand(),
                key.operand(),
                value.operand(),
                output.operand(),
                offsets,
                AttentionKeys.ragged(offsets),
                AttentionScores.scaled(scale, operand(bias)),
                AttentionMask.NONE,
                Dropout.NONE,
                null,
                operand(weights)));
    fence(query, key, value, bias);
    return new Attention(output, weights);
  }

  /**
   * Attention over a padded batch.
   *
   * @param query [batch, query_length, heads, head_size]
   * @param key [batch, key_length, kv_heads, head_size]
   * @param value [batch, key_length, kv_heads, value_head_size]
   * @param bias [batch or 1, heads or 1, query_length or 1, key_length or 1], or null
   */
  public static Attention attention(
      Tensor query, Tensor key, Tensor value, Tensor bias, float scale, boolean withWeights) {
    Tensor output =
        Tensor.empty(
            query.device(), DType.F32, query.size(0), query.size(1), query.size(2), value.size(3));
    Tensor weights =
        withWeights
            ? Tensor.empty(
                query.device(), DType.F32, query.size(0), query.size(2), query.size(1), key.size(1))
            : null;
    query
        .device()
        .kernels()
        .run(
            new ScaledDotProductAttention(
                query.operand(),
                key.operand(),
                value.operand(),
                output.operand(),
                null,
                AttentionKeys.PADDED,
                AttentionScores.scaled(scale, operand(bias)),
                AttentionMask.NONE,
                Dropout.NONE,
                null,
                operand(weights)));
    fence(query, key, value, bias);
    return new Attention(output, weights);
  }

  /** DeBERTa's relative scores [sequences, heads, longest, longest]; c2p or p2c may be null. */
  public static Tensor disentangledBias(
      Tensor c2p,
      Tensor p2c,
      Offsets offsets,
      Tensor positions,
      long span,
      long buckets,
      long maxPosition,
      float scale) {
    Tensor some = c2p != null ? c2p : p2c;
    Tensor bias =
        Tensor.empty(
            some.device(),
            DType.F32,
            offsets.sequences(),
            some.size(0),
            offsets.longest(),
            offsets.longest());
    some.device()
        .kernels()
        .run(
            new DisentangledBias(
                operand(c2p),
                operand(p2c),
                offsets,
                positions.operand(),
                span,
                buckets,
                maxPosition,
                scale,
                bias.operand()));
    fence(c2p, p2c, positions);
    return bias;
  }

  /**
   * Rotates x [tokens, heads, head_size] by tables [positions, rotary / 2] at positions [tokens].
   */
  public static Tensor rotary(
      Tensor x, Tensor cosine, Tensor sine, Tensor positions, boolean interleaved) {
    Tensor y = Tensor.empty(x.device(), DType.F32, x.shape());
    x.device()
        .kernels()
        .run(
            new RotaryEmbedding(
                x.operand(),
                cosine.operand(),
                sine.operand(),
                positions.operand(),
                interleaved,
                y.operand()));
    fence(x, cosine, sine, positions);
    return y;
  }

  /** The loss of each row of logits [rows, columns]; 0 where the target is ignoreIndex. */
  public static Tensor crossEntropy(Tensor logits, Tensor targets, long ignoreIndex) {
    Tensor loss = Tensor.empty(logits.device(), DType.F32, logits.size(0));
    logits
        .device()
        .kernels()
        .run(new CrossEntropy(logits.operand(), targets.operand(), ignoreIndex, loss.operand()));
    fence(logits, targets);
    return loss;
  }

  private static Tensor rows(Tensor x) {
    if (x.rank() == 2) {
      return x;
    }
    if (x.rank() == 0) {
      throw new IllegalArgumentException("tensor %s has no last axis".formatted(x));
    }
    long last = x.size(-1);
    return x.reshape(last == 0 ? 0 : x.count() / last, last);
  }

  private static long[] withLast(Tensor x, long last) {
    long[] shape = Arrays.copyOf(x.shape(), x.rank());
    shape[shape.length - 1] = last;
    return shape;
  }

  private static Operand operand(Tensor tensor) {
    return tensor == null ? null : tensor.operand();
  }

  /** Keeps the owners of the arguments' memory reachable until the kernel has run. */
  private static void fence(Tensor... tensors) {
    Reference.reachabilityFence(tensors);
  }
}
