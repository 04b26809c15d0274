package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.reference.AttentionReference.Sequences;

/** The gradients of attention, a query at a time. */
final class AttentionBackwardReference {
  private final Precision p;
  private final Functions functions;
  private final AttentionReference forward;

  AttentionBackwardReference(Precision precision, AttentionReference forward) {
    this.p = precision;
    this.functions = new Functions(precision);
    this.forward = forward;
  }

  /** The sums of a call so far; those of keys and values are of one head of one sequence. */
  private record Sums(double[][] keys, double[][] values, double[] bias, double[] sinks) {}

  void run(AttentionBackward c) {
    ScaledDotProductAttention f = c.forward();
    Sequences in = Sequences.of(f, c);
    double[] bias = new double[c.dbias() == null ? 0 : Math.toIntExact(c.dbias().count())];
    double[] sinks = new double[c.dsinks() == null ? 0 : Math.toIntExact(c.dsinks().count())];
    for (int b = 0; b < f.batch(); b++) {
      for (long g = 0; g < f.key().size(-2); g++) {
        int room = Math.toIntExact(f.keys().offsets() != null ? in.keys(b) : f.key().size(1));
        double[][] keys = new double[room][(int) f.key().size(-1)];
        double[][] values = new double[room][(int) f.value().size(-1)];
        Sums sums = new Sums(keys, values, bias, sinks);
        long shared = f.query().size(-2) / f.key().size(-2);
        int queries = Math.toIntExact(in.queries(b));
        for (long h = g * shared; h < (g + 1) * shared; h++) {
          for (int n = 0; n < queries; n++) {
            row(c, in, b, h, g, p.term(n, queries), sums);
          }
        }
        for (int j = 0; j < room; j++) {
          write(c.dkey(), in.key(c.dkey(), b, j) + g * c.dkey().stride(-2), keys[j]);
          write(c.dvalue(), in.key(c.dvalue(), b, j) + g * c.dvalue().stride(-2), values[j]);
        }
      }
    }
    if (c.dbias() != null) {
      View.of(c.dbias()).setRow(0, bias);
    }
    if (c.dsinks() != null) {
      View.of(c.dsinks()).setRow(0, sinks);
    }
  }

  private static void write(Operand to, long place, double[] row) {
    View.of(to).setRow(place, row);
  }

  private static double[] key(Sequences in, Operand of, int b, long j, long g) {
    return View.of(of).row(in.key(of, b, j) + g * of.stride(-2), of.size(-1));
  }

  /** Adds what a query gives, and writes its own gradient. */
  private void row(AttentionBackward c, Sequences in, int b, long h, long g, int i, Sums sums) {
    ScaledDotProductAttention f = c.forward();
    double[] query = View.of(f.query()).row(in.query(f.query(), b, i, h), f.query().size(-1));
    double[] dquery = new double[query.length];
    long to = in.query(c.dquery(), b, i, h);
    long at = AttentionReference.output(f, b, h, i);
    double lse = View.of(f.lse()).get(at);
    if (lse == Double.NEGATIVE_INFINITY) {
      write(c.dquery(), to, dquery);
      return;
    }
    for (int d = 0; d < query.length; d++) {
      query[d] = p.store(query[d] * f.scores().scale());
    }
    int keys = Math.toIntExact(in.keys(b));
    double[] scores = forward.scores(f, in, b, h, i, keys, g);
    Softmax softmax = softmax(c, scores, h, lse);
    double[] output = View.of(f.output()).row(in.query(f.output(), b, i, h), f.value().size(-1));
    double[] doutput = View.of(c.doutput()).row(in.query(c.doutput(), b, i, h), output.length);
    double[] p1 = new double[keys];
    double[] weights = new double[keys];
    double[] dp = new double[keys];
    boolean again = c.isFoundAgain((float) lse);
    double less = again ? 0 : functions.dot(doutput, output);
    for (int k = 0; k < keys; k++) {
      int j = p.term(k, keys);
      if (scores[j] != Double.NEGATIVE_INFINITY) {
        double z = forward.drop(f, b, h, i, j, 1);
        p1[j] = softmax.of(scores[j]);
        weights[j] = p.store(z * p1[j]);
        dp[j] = p.store(functions.dot(doutput, key(in, f.value(), b, j, g)));
        if (c.dweights() != null) {
          double given = View.of(c.dweights()).get(at * f.keyLength() + j);
          dp[j] = p.store(dp[j] + given);
        }
        dp[j] = p.store(z * dp[j]);
        less = again && p1[j] != 0 ? p.sum(less, p1[j], dp[j]) : less;
      }
    }
    less = c.dlse() == null ? less : p.round(less - View.of(c.dlse()).get(at));
    for (int k = 0; k < keys; k++) {
      int j = p.term(k, keys);
      if (p1[j] != 0) {
        double ds = p.store(p1[j] * p.round(dp[j] - less));
        addToBias(c, b, h, i, j, ds, sums.bias);
        double[] key = key(in, f.key(), b, j, g);
        if (f.scores().softcap() > 0) {
          double part = p.store(p.store(functions.dot(query, key)) / f.scores().softcap());
          double t = p.store(Math.tanh(part));
          ds = p.store(ds * p.round(1 - p.round(t * t)));
        }
        add(ds, key, dquery);
        add(ds, query, sums.keys[j]);
        add(weights[j], doutput, sums.values[j]);
      }
    }
    for (int d = 0; d < dquery.length; d++) {
      dquery[d] = p.round(dquery[d] * f.scores().scale());
    }
    write(c.dquery(), to, dquery);
    if (c.dsinks() != null) {
      double sink = View.of(f.scores().sinks()).get(h);
      double share = softmax.of(sink);
      sums.sinks[(int) h] = p.round(sums.sinks[(int) h] - p.round(share * less));
    }
  }

  /** {@code exp(score - base) / total} are probabilities. */
  private final class Softmax {
    final double base;
    final double total;

    Softmax(double base, double total) {
      this.base = base;
      this.total = total;
    }

    double of(double score) {
      return p.store(p.round(Math.exp(p.round(score - base))) / total);
    }
  }

  private Softmax softmax(AttentionBackward c, double[] scores, long h, double lse) {
    if (!c.isFoundAgain((float) lse)) {
      return new Softmax(lse, 1);
    }
    Operand sinks = c.forward().scores().sinks();
    double sink = sinks == null ? Double.NEGATIVE_INFINITY : View.of(sinks).get(h);
    double top = Math.max(Functions.largest(scores), sink);
    double total = p.round(functions.expSum(scores, top) + p.round(Math.exp(p.round(sink - top))));
    return new Softmax(top, total);
  }

  private void addToBias(
      AttentionBackward c, int b, long h, int i, int j, double ds, double[] bias) {
    if (c.dbias() != null) {
      long place = b * c.dbiasStride(0) + h * c.dbiasStride(1);
      int at = Math.toIntExact(place + i * c.dbiasStride(2) + j * c.dbiasStride(3));
      bias[at] = p.round(bias[at] + ds);
    }
  }

  /** Nothing of a factor of 0, whatever the row has. */
  private void add(double factor, double[] row, double[] sums) {
    for (int d = 0; factor != 0 && d < row.length; d++) {
      sums[d] = p.sum(sums[d], factor, row[d]);
    }
  }
}
