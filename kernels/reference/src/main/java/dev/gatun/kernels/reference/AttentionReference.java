package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.Causal;
import dev.gatun.kernels.api.Operand;
import dev.gatun.kernels.api.ScaledDotProductAttention;

/** Attention that materialises a row of scores at a time. */
final class AttentionReference {
  private final Precision p;
  private final Functions functions;

  AttentionReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(ScaledDotProductAttention c) {
    for (int b = 0; b < c.batch(); b++) {
      long queries = c.queryOffsets() != null ? c.queryOffsets().length(b) : c.queryLength();
      for (long h = 0; h < c.query().size(-2); h++) {
        for (long i = 0; i < queries; i++) {
          row(c, b, h, i, queries);
        }
      }
    }
  }

  private void row(ScaledDotProductAttention c, int b, long h, long i, long queries) {
    long keys = c.keyOffsets() != null ? c.keyOffsets().length(b) : c.keyLength();
    long group = h / (c.query().size(-2) / c.key().size(-2));
    double[] query = View.of(c.query()).row(place(c, c.query(), b, i, h), c.query().size(-1));
    double[] scores = new double[(int) keys];
    boolean[] seen = new boolean[(int) keys];
    boolean blind = true;
    for (int d = 0; d < query.length; d++) {
      query[d] = p.round(query[d] * c.scale());
    }
    for (int j = 0; j < keys; j++) {
      scores[j] = Double.NEGATIVE_INFINITY;
      if (isSeen(c, b, i, j, queries, keys)) {
        double[] key = View.of(c.key()).row(place(c, c.key(), b, j, group), query.length);
        scores[j] = functions.dot(query, key);
        if (c.bias() != null) {
          scores[j] =
              p.round(
                  scores[j]
                      + View.of(c.bias())
                          .get(
                              b * c.biasStride(0)
                                  + h * c.biasStride(1)
                                  + i * c.biasStride(2)
                                  + j * c.biasStride(3)));
        }
        seen[j] = scores[j] != Double.NEGATIVE_INFINITY;
        blind &= !seen[j];
      }
    }
    double top = blind ? 0 : Functions.largest(scores);
    double total = functions.expSum(scores, top);
    double[] sums = new double[(int) c.value().size(-1)];
    for (int j = 0; j < keys; j++) {
      double weight = seen[j] ? p.round(p.round(Math.exp(p.round(scores[j] - top))) / total) : 0;
      if (seen[j]) {
        double[] value = View.of(c.value()).row(place(c, c.value(), b, j, group), sums.length);
        for (int d = 0; d < sums.length; d++) {
          sums[d] = p.round(sums[d] + p.round(weight * value[d]));
        }
      }
      if (c.weights() != null) {
        View.of(c.weights()).set(output(c, b, h, i) * c.keyLength() + j, weight);
      }
    }
    View.of(c.output()).setRow(place(c, c.output(), b, i, h), sums);
    if (c.lse() != null) {
      double lse = blind ? Double.NEGATIVE_INFINITY : p.round(top + p.round(Math.log(total)));
      View.of(c.lse()).set(output(c, b, h, i), lse);
    }
  }

  private static boolean isSeen(
      ScaledDotProductAttention c, int b, long i, long j, long queries, long keys) {
    if (c.keyMask() != null && View.of(c.keyMask()).getLong(b * c.keyLength() + j) == 0) {
      return false;
    }
    long shift = c.causal() == Causal.BOTTOM_RIGHT ? keys - queries : 0;
    return c.causal() == Causal.NONE || j <= i + shift;
  }

  /** The row of a query in the outputs that have one for each. */
  private static long output(ScaledDotProductAttention c, int b, long h, long i) {
    return (b * c.query().size(-2) + h) * c.queryLength() + i;
  }

  private static long place(ScaledDotProductAttention c, Operand o, int b, long token, long head) {
    if (c.queryOffsets() == null) {
      return b * o.stride(0) + token * o.stride(1) + head * o.stride(2);
    }
    boolean query = o == c.query() || o == c.output();
    int first = (query ? c.queryOffsets() : c.keyOffsets()).start(b);
    return (first + token) * o.stride(0) + head * o.stride(1);
  }
}
