package dev.gatun.ops;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * Operations on tensors: each gives a new tensor on the device of its first argument. "Rows" are
 * all axes but the last.
 */
public final class Ops {
  private Ops() {}

  /**
   * A weight [out_features, in_features] in the form that {@link #linear} takes.
   *
   * @param dtype F32, BF16 or F16
   */
  public static Tensor pack(Tensor weight, DType dtype) {
    return Packing.pack(weight, Storage.of(dtype));
  }

  /**
   * {@code activation(x weightᵀ + bias)}.
   *
   * @param x [..., in_features]
   * @param packed the packed weight
   * @param bias [out_features], or null
   * @param dtype of the result: F32; also BF16 or F16 where the weight is not F32
   */
  public static Tensor linear(
      Tensor x, Tensor packed, Tensor bias, long outFeatures, Activation activation, DType dtype) {
    Operand rows = rows("matmul", x).operand();
    return run(
        Tensor.empty(x.device(), dtype, withLast(x, outFeatures)),
        (k, y) ->
            k.run(
                new Matmul(
                    rows,
                    packed.operand(),
                    operand(bias),
                    activation,
                    rows("matmul", y).operand())),
        x,
        packed,
        bias);
  }

  /** {@code layer_norm(x + residual)}; residual, weight and bias may be null. */
  public static Tensor layerNorm(Tensor x, Tensor residual, Tensor weight, Tensor bias, float eps) {
    Operand added = residual == null ? null : rows("layer_norm", residual).operand();
    return eachRow(
        "layer_norm",
        x,
        (k, in, y) -> k.run(new LayerNorm(in, added, operand(weight), operand(bias), eps, y, null)),
        residual,
        weight,
        bias);
  }

  /** x with its numbers rounded to F32, BF16 or F16; x itself where they are. */
  public static Tensor cast(Tensor x, DType dtype) {
    if (x.dtype() == dtype) {
      return x;
    }
    return run(
        Tensor.empty(x.device(), dtype, x.shape()),
        (k, y) -> k.run(new Cast(rows("cast", x).operand(), rows("cast", y).operand())),
        x);
  }

  public static Tensor activation(Tensor x, Activation activation) {
    return eachRow("activation", x, (k, in, y) -> k.run(new Activate(in, activation, y)));
  }

  public static Tensor softmax(Tensor x) {
    return eachRow("softmax", x, (k, in, y) -> k.run(new Softmax(in, false, y)));
  }

  public static Tensor logSoftmax(Tensor x) {
    return eachRow("log_softmax", x, (k, in, y) -> k.run(new Softmax(in, true, y)));
  }

  /** The rows of a table [rows, columns] that the ids [count] name: [count, columns]. */
  public static Tensor embedding(Tensor table, Ids ids) {
    return embedding(table, ids, table.dtype());
  }

  /**
   * The same as other numbers than the table's.
   *
   * @param dtype F32, or the table's
   */
  public static Tensor embedding(Tensor table, Ids ids, DType dtype) {
    axes("embedding", "table", table, 2);
    return run(
        Tensor.empty(table.device(), dtype, ids.count(), table.size(1)),
        (k, y) -> k.run(new Embedding(table.operand(), ids.indices(), false, y.operand())),
        table,
        ids.values());
  }

  /** The same, added to y in place; gives y. */
  public static Tensor addEmbedding(Tensor y, Tensor table, Ids ids) {
    table.device().kernels().run(new Embedding(table.operand(), ids.indices(), true, y.operand()));
    fence(table, ids.values(), y);
    return y;
  }

  /**
   * Zeros of a shape, with x [count, columns] at the rows that ids names; a row whose id is {@link
   * Ids#NONE} goes nowhere.
   *
   * @param shape [..., columns]
   */
  public static Tensor scatterRows(Tensor x, Ids ids, long... shape) {
    axes("scatter_rows", "x", x, 2);
    return run(
        Tensor.zeros(x.device(), x.dtype(), shape),
        (k, y) -> {
          Tensor rows = y.reshape(x.size(1) == 0 ? 0 : y.count() / x.size(1), x.size(1));
          k.run(new ScatterRows(x.operand(), ids.indices(), rows.operand()));
        },
        x,
        ids.values());
  }

  /** Writes x [count, columns] over the rows of y [rows, columns] that ids names; gives y. */
  public static Tensor scatterRowsInto(Tensor y, Tensor x, Ids ids) {
    y.device().kernels().run(new ScatterRows(x.operand(), ids.indices(), y.operand()));
    fence(x, ids.values(), y);
    return y;
  }

  /** One vector a sequence of packed tokens [tokens, columns]. */
  public static Tensor pool(Tensor x, Segments segments, PoolingMode mode) {
    axes("pool", "x", x, 2);
    return run(
        Tensor.empty(x.device(), x.dtype(), segments.sequences(), x.size(1)),
        (k, y) -> k.run(new Pool(x.operand(), segments.offsets(), mode, y.operand())),
        x,
        segments.values());
  }

  /** Each row divided by its Euclidean norm, at least 1e-12. */
  public static Tensor l2Normalize(Tensor x) {
    return eachRow("l2_normalize", x, (k, in, y) -> k.run(new L2Normalize(in, 1e-12f, y)));
  }

  /**
   * {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]}, of a's dtype; strided views serve as transposed
   * or repeated factors.
   */
  public static Tensor batchedMatmul(Tensor a, Tensor b) {
    axes("batched_matmul", "a", a, 3);
    axes("batched_matmul", "b", b, 3);
    return run(
        Tensor.empty(a.device(), a.dtype(), a.size(0), a.size(1), b.size(1)),
        (k, c) -> k.run(new BatchedMatmul(a.operand(), b.operand(), c.operand())),
        a,
        b);
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
   * @param query F32, BF16 or F16 [tokens, heads, head_size]; key and value alike
   * @param bias [batch or 1, heads or 1, longest or 1, longest or 1], or null
   * @param withWeights whether to give the probabilities too
   */
  public static Attention attention(
      Tensor query,
      Tensor key,
      Tensor value,
      Segments segments,
      Tensor bias,
      float scale,
      boolean withWeights) {
    axes("attention", "query", query, 3);
    axes("attention", "value", value, 3);
    long longest = segments.longest();
    return attention(
        Tensor.empty(query.device(), query.dtype(), query.size(0), query.size(1), value.size(2)),
        withWeights ? new long[] {segments.sequences(), query.size(1), longest, longest} : null,
        segments,
        scale,
        query,
        key,
        value,
        bias);
  }

  /**
   * Attention over a padded batch.
   *
   * @param query F32, BF16 or F16 [batch, query_length, heads, head_size]; key and value alike
   * @param key [batch, key_length, kv_heads, head_size]
   * @param value [batch, key_length, kv_heads, value_head_size]
   * @param bias [batch or 1, heads or 1, query_length or 1, key_length or 1], or null
   */
  public static Attention attention(
      Tensor query, Tensor key, Tensor value, Tensor bias, float scale, boolean withWeights) {
    axes("attention", "query", query, 4);
    axes("attention", "key", key, 4);
    axes("attention", "value", value, 4);
    return attention(
        Tensor.empty(
            query.device(),
            query.dtype(),
            query.size(0),
            query.size(1),
            query.size(2),
            value.size(3)),
        withWeights ? new long[] {query.size(0), query.size(2), query.size(1), key.size(1)} : null,
        null,
        scale,
        query,
        key,
        value,
        bias);
  }

  private static Attention attention(
      Tensor output,
      long[] weightsShape,
      Segments segments,
      float scale,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor bias) {
    Tensor[] weights = new Tensor[1];
    Offsets offsets = segments == null ? null : segments.offsets();
    try {
      run(
          output,
          (k, y) -> {
            weights[0] = weightsShape == null ? null : Tensor.zeros(y.device(), weightsShape);
            k.run(
                new ScaledDotProductAttention(
                    query.operand(),
                    key.operand(),
                    value.operand(),
                    y.operand(),
                    offsets,
                    offsets == null ? AttentionKeys.PADDED : AttentionKeys.ragged(offsets),
                    AttentionScores.scaled(scale, operand(bias)),
                    AttentionMask.NONE,
                    Dropout.NONE,
                    null,
                    operand(weights[0])));
          },
          query,
          key,
          value,
          bias,
          segments == null ? null : segments.values());
    } catch (RuntimeException | Error e) {
      if (weights[0] != null) {
        weights[0].close();
      }
      throw e;
    }
    return new Attention(output, weights[0]);
  }

  /** DeBERTa's relative scores [sequences, heads, longest, longest]; c2p or p2c may be null. */
  public static Tensor disentangledBias(
      Tensor c2p,
      Tensor p2c,
      Segments segments,
      Tensor positions,
      long span,
      long buckets,
      long maxPosition,
      float scale) {
    Tensor some = c2p != null ? c2p : p2c;
    if (some == null) {
      throw new IllegalArgumentException("disentangled_bias: c2p and p2c are both missing");
    }
    axes("disentangled_bias", c2p != null ? "c2p" : "p2c", some, 3);
    long longest = segments.longest();
    return run(
        Tensor.empty(
            some.device(), DType.F32, segments.sequences(), some.size(0), longest, longest),
        (k, bias) ->
            k.run(
                new DisentangledBias(
                    operand(c2p),
                    operand(p2c),
                    segments.offsets(),
                    positions.operand(),
                    span,
                    buckets,
                    maxPosition,
                    scale,
                    bias.operand())),
        c2p,
        p2c,
        segments.values(),
        positions);
  }

  /**
   * Rotates x [tokens, heads, head_size] by F32 tables [positions, rotary / 2] at positions
   * [tokens].
   *
   * @param x F32, BF16 or F16
   */
  public static Tensor rotary(
      Tensor x, Tensor cosine, Tensor sine, Ids positions, boolean interleaved) {
    return run(
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
   * The F32 loss of each row of logits [rows, columns] in F32, BF16 or F16; 0 where the target is
   * ignoreIndex.
   */
  public static Tensor crossEntropy(Tensor logits, Tensor targets, long ignoreIndex) {
    return crossEntropy(logits, targets, Indices.unchecked(targets.operand()), ignoreIndex);
  }

  /** The same with targets of which something is known: each is a class, or ignoreIndex. */
  public static Tensor crossEntropy(
      Tensor logits, Tensor targets, Indices known, long ignoreIndex) {
    axes("cross_entropy", "logits", logits, 2);
    return run(
        Tensor.empty(logits.device(), DType.F32, logits.size(0)),
        (k, y) -> k.run(new CrossEntropy(logits.operand(), known, ignoreIndex, y.operand())),
        logits,
        targets);
  }

  /** A kernel's call whose output is a tensor. */
  interface Call {
    void run(Kernels kernels, Tensor y);
  }

  /** A kernel's call whose input and output are rows of the same shape. */
  private interface RowsCall {
    void run(Kernels kernels, Operand rows, Operand y);
  }

  /** Fills y and gives it; gives its memory back when the call fails. */
  static Tensor run(Tensor y, Call call, Tensor... arguments) {
    boolean done = false;
    try {
      call.run(y.device().kernels(), y);
      done = true;
    } finally {
      if (!done) {
        y.close();
      }
      fence(arguments);
    }
    return y;
  }

  private static Tensor eachRow(String op, Tensor x, RowsCall call, Tensor... others) {
    Operand rows = rows(op, x).operand();
    return run(
        Tensor.empty(x.device(), x.dtype(), x.shape()),
        (k, y) -> {
          call.run(k, rows, rows(op, y).operand());
          fence(x);
        },
        others);
  }

  static void axes(String op, String name, Tensor x, int axes) {
    if (x.rank() != axes) {
      throw new IllegalArgumentException(
          "%s: %s is %s, expected %d axes".formatted(op, name, x, axes));
    }
  }

  static Tensor rows(String op, Tensor x) {
    if (x.rank() == 2) {
      return x;
    }
    if (x.rank() == 0) {
      throw new IllegalArgumentException("%s: %s has no last axis".formatted(op, x));
    }
    long rows = 1;
    for (int axis = 0; axis < x.rank() - 1; axis++) {
      rows *= x.size(axis);
    }
    return x.reshape(rows, x.size(-1));
  }

  static long[] withLast(Tensor x, long last) {
    long[] shape = Arrays.copyOf(x.shape(), x.rank());
    shape[shape.length - 1] = last;
    return shape;
  }

  static Operand operand(Tensor tensor) {
    return tensor == null ? null : tensor.operand();
  }

  /** Keeps the owners of the arguments' memory reachable until the kernel has run. */
  static void fence(Tensor... tensors) {
    Reference.reachabilityFence(tensors);
  }
}
