package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * Multi-head attention of "Attention Is All You Need" (arXiv 1706.03762, section 3.2.2). Where the
 * mask is 0 a score becomes -1e9, a number: a query that may see nothing attends to all keys alike.
 */
public final class MultiHeadAttention implements AutoCloseable {
  private static final float MASKED = -1e9f;

  /**
   * What {@link #forward} gives.
   *
   * @param output [batch, query_length, d_model]
   * @param attentionWeights [batch, heads, query_length, key_length], or null
   */
  public record Result(Tensor output, Tensor attentionWeights) {}

  private final Linear wQ;
  private final Linear wK;
  private final Linear wV;
  private final Linear wO;
  private final int numHeads;

  /**
   * Attention of four layers.
   *
   * @param wQ makes queries
   * @param wK makes keys
   * @param wV makes values
   * @param wO of what the heads give
   * @param numHeads a divisor of d_model
   * @throws IllegalArgumentException if the layers or the number of heads do not fit
   */
  public MultiHeadAttention(Linear wQ, Linear wK, Linear wV, Linear wO, int numHeads) {
    if (numHeads < 1 || wQ.outFeatures() % numHeads != 0) {
      throw new IllegalArgumentException(
          "multi_head_attention: %d heads do not divide d_model %d"
              .formatted(numHeads, wQ.outFeatures()));
    }
    if (wK.outFeatures() != wQ.outFeatures() || wV.outFeatures() != wQ.outFeatures()) {
      throw new IllegalArgumentException(
          "multi_head_attention: queries of %d features, keys of %d, values of %d: expected the same"
              .formatted(wQ.outFeatures(), wK.outFeatures(), wV.outFeatures()));
    }
    this.wQ = wQ;
    this.wK = wK;
    this.wV = wV;
    this.wO = wO;
    this.numHeads = numHeads;
  }

  /**
   * Attends each query to the keys that the mask lets it see.
   *
   * @param query [batch, query_length, d_model]
   * @param key [batch, key_length, d_model]
   * @param value [batch, key_length, d_model]
   * @param mask F32, 0 where a query may not see a key and 1 where it may; axes [batch or 1, heads
   *     or 1, query_length or 1, key_length or 1], leading ones may be missing; or null
   * @param withWeights whether to return the attention weights
   * @return the output, and the attention weights where they are asked for
   * @throws IllegalArgumentException where a tensor has other axes, or the mask is not F32
   */
  public Result forward(Tensor query, Tensor key, Tensor value, Tensor mask, boolean withWeights) {
    for (Tensor x : new Tensor[] {query, key, value}) {
      if (x.rank() != 3) {
        throw new IllegalArgumentException(
            "multi_head_attention: %s, expected [batch, length, d_model]".formatted(x));
      }
    }
    if (mask != null && mask.rank() > 4) {
      throw new IllegalArgumentException(
          "multi_head_attention: mask is %s, expected at most 4 axes".formatted(mask));
    }
    if (mask != null && mask.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          "multi_head_attention: mask %s: expected F32".formatted(mask));
    }
    long size = wQ.outFeatures() / numHeads;
    try (Scope scope = Scope.open()) {
      Tensor q = wQ.forward(query).reshape(query.size(0), query.size(1), numHeads, size);
      Tensor k = wK.forward(key).reshape(key.size(0), key.size(1), numHeads, size);
      Tensor v = wV.forward(value).reshape(value.size(0), value.size(1), numHeads, size);
      if (mask != null && Tape.recording() != null) {
        q = withoutBlind(q, mask);
      }
      float scale = (float) (1 / Math.sqrt(size));
      Attention.Result attention =
          Attention.scaledDotProductAttention(
              q,
              null,
              Attention.Keys.padded(k, v),
              Attention.Scores.scaled(scale).withBias(mask == null ? null : bias(mask)),
              withWeights);
      Tensor joined = attention.output().reshape(query.size(0), query.size(1), numHeads * size);
      scope.keep(attention.weights());
      return new Result(scope.keep(wO.forward(joined)), attention.weights());
    }
  }

  /**
   * Queries [batch, query_length, heads, size] with zeros in the place of those that may see
   * nothing: their scores are numbers that depend on nothing, so no gradient passes them.
   */
  private static Tensor withoutBlind(Tensor query, Tensor mask) {
    Tensor seesAny = Reductions.max(fourAxes(mask), 3);
    long[] shape = seesAny.shape();
    return Elementwise.keepWhere(
        query, Layouts.permute(seesAny.reshape(shape[0], shape[1], shape[2], 1), 0, 2, 1, 3));
  }

  private static Tensor fourAxes(Tensor mask) {
    long[] shape = {1, 1, 1, 1};
    System.arraycopy(mask.shape(), 0, shape, 4 - mask.rank(), mask.rank());
    return mask.reshape(shape);
  }

  // A score plus -1e9 rounds to -1e9 in float for any score of usual size, which is what
  // replacing it gives.
  private static Tensor bias(Tensor mask) {
    Tensor hidden =
        Elementwise.subtract(fourAxes(mask), Tensor.of(mask.device(), new float[] {1}, 1));
    return Elementwise.multiply(hidden, Tensor.of(mask.device(), new float[] {-MASKED}, 1));
  }

  @Override
  public void close() {
    wQ.close();
    wK.close();
    wV.close();
    wO.close();
  }
}
