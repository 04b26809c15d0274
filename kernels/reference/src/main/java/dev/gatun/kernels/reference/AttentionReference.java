package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;

/** Attention that materialises a row of scores at a time. */
final class AttentionReference {
  private final Precision p;
  private final Functions functions;
  private final DisentangledBiasReference disentangledBias;
  private final RotaryReference rotary;
  private final AttentionBackwardReference backward;

  AttentionReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
    this.disentangledBias = new DisentangledBiasReference(precision);
    this.rotary = new RotaryReference(precision);
    this.backward = new AttentionBackwardReference(precision, this);
  }

  void run(AttentionCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> attention(c);
      case AttentionBackward c -> backward.run(c);
      case DisentangledBias c -> disentangledBias.run(c);
      case RotaryEmbedding c -> rotary.run(c);
      case RotaryCacheUpdate c -> rotary.run(c);
    }
  }

  private void attention(ScaledDotProductAttention c) {
    Sequences sequences = Sequences.of(c, c);
    for (int b = 0; b < c.batch(); b++) {
      for (long h = 0; h < c.query().size(-2); h++) {
        for (long i = 0; i < sequences.queries(b); i++) {
          row(c, sequences, b, h, i);
        }
      }
    }
  }

  /** Where the queries and keys of each sequence lie, once they were looked at. */
  record Sequences(
      ScaledDotProductAttention c, int[] queryOffsets, int[] keyOffsets, int[] keyLengths) {
    static Sequences of(ScaledDotProductAttention c, KernelCall call) {
      AttentionKeys keys = c.keys();
      int[] lengths =
          keys.lengths() == null
              ? null
              : keys.lengths().check(call.kernel(), View.ids(keys.lengths().values()));
      if (keys.isPaged() && keys.pages().isUnknown()) {
        Execution.pagesInRange(c, View.ids(keys.blockTable()), lengths);
      }
      return new Sequences(
          c,
          c.queryOffsets() == null ? null : View.offsets(call, c.queryOffsets()),
          keys.offsets() == null ? null : View.offsets(call, keys.offsets()),
          lengths);
    }

    long queries(int b) {
      return queryOffsets == null ? c.query().size(1) : queryOffsets[b + 1] - queryOffsets[b];
    }

    long keys(int b) {
      if (keyOffsets != null) {
        return keyOffsets[b + 1] - keyOffsets[b];
      }
      return keyLengths == null ? c.key().size(1) : keyLengths[b];
    }

    /** A query's or its output's place. */
    long query(Operand o, int b, long token, long head) {
      long first = queryOffsets != null ? queryOffsets[b] * o.stride(0) : b * o.stride(0);
      return first + token * o.stride(-3) + head * o.stride(-2);
    }

    /** The place of a token in keys or values, or in their scales. */
    long key(Operand o, int b, long token) {
      if (keyOffsets != null) {
        return (keyOffsets[b] + token) * o.stride(0);
      }
      if (c.keys().isPaged()) {
        Operand table = c.keys().blockTable();
        long size = o.size(1);
        long page = View.of(table).getLong(b * table.stride(0) + token / size);
        return page * o.stride(0) + token % size * o.stride(1);
      }
      return b * o.stride(0) + token * o.stride(1);
    }
  }

  private void row(ScaledDotProductAttention c, Sequences in, int b, long h, long i) {
    int keys = Math.toIntExact(in.keys(b));
    long group = h / (c.query().size(-2) / c.key().size(-2));
    double[] scores = scores(c, in, b, h, i, keys, group);
    double largest = Functions.largest(scores);
    boolean blind = largest == Double.NEGATIVE_INFINITY;
    Double sink = c.scores().sinks() == null ? null : View.of(c.scores().sinks()).get(h);
    double top = sink == null ? largest : Math.max(largest, sink);
    top = top == Double.NEGATIVE_INFINITY ? 0 : top;
    double total = functions.expSum(scores, top);
    total = sink == null ? total : p.round(total + p.round(Math.exp(p.round(sink - top))));
    double[] sums = new double[(int) c.value().size(-1)];
    CacheScales scales = c.keys().scales();
    for (int k = 0; k < keys; k++) {
      int j = p.term(k, keys);
      boolean seen = scores[j] != Double.NEGATIVE_INFINITY;
      double weight = 0;
      if (seen) {
        weight = p.store(p.round(p.round(Math.exp(p.round(scores[j] - top))) / total));
        weight = p.store(drop(c, b, h, i, j, weight));
        double[] value =
            cached(in, c.value(), scales == null ? null : scales.values(), b, j, group);
        for (int d = 0; weight != 0 && d < sums.length; d++) {
          sums[d] = p.sum(sums[d], weight, value[d]);
        }
      }
      if (c.weights() != null) {
        View.of(c.weights()).set(output(c, b, h, i) * c.keyLength() + j, weight);
      }
    }
    View.of(c.output()).setRow(in.query(c.output(), b, i, h), sums);
    if (c.lse() != null) {
      double lse =
          blind && sink == null
              ? Double.NEGATIVE_INFINITY
              : p.round(top + p.round(Math.log(total)));
      View.of(c.lse()).set(output(c, b, h, i), lse);
    }
  }

  /** A key or value; of signed bytes what they mean. */
  private double[] cached(Sequences in, Operand of, Operand scales, int b, long token, long group) {
    double[] row = View.of(of).row(in.key(of, b, token) + group * of.stride(-2), of.size(-1));
    if (scales != null) {
      double scale = View.of(scales).get(in.key(scales, b, token) + group);
      for (int d = 0; d < row.length; d++) {
        row[d] = p.store(row[d] * scale);
      }
    }
    return row;
  }

  /** The scores of a query, -∞ of keys that it does not see. */
  double[] scores(
      ScaledDotProductAttention c, Sequences in, int b, long h, long i, int keys, long group) {
    double[] query = View.of(c.query()).row(in.query(c.query(), b, i, h), c.query().size(-1));
    for (int d = 0; d < query.length; d++) {
      query[d] = p.store(query[d] * c.scores().scale());
    }
    double[] scores = new double[keys];
    CacheScales scales = c.keys().scales();
    long stand = i + (c.mask().causal() == Causal.BOTTOM_RIGHT ? keys - in.queries(b) : 0);
    for (int j = 0; j < keys; j++) {
      scores[j] = Double.NEGATIVE_INFINITY;
      if (isSeen(c, b, stand, j)) {
        double[] key = cached(in, c.key(), scales == null ? null : scales.keys(), b, j, group);
        double score = p.store(functions.dot(query, key));
        double cap = c.scores().softcap();
        score = cap == 0 ? score : p.store(cap * p.store(Math.tanh(p.store(score / cap))));
        if (c.scores().bias() != null) {
          long place =
              b * c.biasStride(0) + h * c.biasStride(1) + i * c.biasStride(2) + j * c.biasStride(3);
          score = p.store(score + View.of(c.scores().bias()).get(place));
        }
        if (c.scores().slopes() != null) {
          double slope = View.of(c.scores().slopes()).get(h);
          score = p.store(score - p.store(slope * Math.abs(stand - j)));
        }
        scores[j] = score;
      }
    }
    return scores;
  }

  /** What dropout makes of a probability. */
  double drop(ScaledDotProductAttention c, int b, long h, long i, int j, double weight) {
    float probability = c.dropout().probability();
    if (probability == 0) {
      return weight;
    }
    int word = Philox.words(new int[] {j, (int) i, (int) h, b}, c.dropout().seed())[0];
    boolean dropped = Integer.toUnsignedLong(word) < (long) (probability * 0x1p32);
    return dropped ? 0 * weight : p.round(weight / p.round(1 - probability));
  }

  private static boolean isSeen(ScaledDotProductAttention c, int b, long stand, int j) {
    Operand mask = c.mask().keys();
    if (mask != null && View.of(mask).getLong(b * c.keyLength() + j) == 0) {
      return false;
    }
    boolean causal = c.mask().causal() != Causal.NONE;
    long window = c.mask().window();
    if (causal && j > stand) {
      return false;
    }
    return window == 0 || (stand - j < window && (causal || j - stand < window));
  }

  /** The row of a query in the outputs that have one for each. */
  static long output(ScaledDotProductAttention c, int b, long h, long i) {
    return (b * c.query().size(-2) + h) * c.queryLength() + i;
  }
}
