package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** Attention: prefill, causal or not, and decode; and its gradients. */
final class AttentionRow {
  private static final int QUERIES = 12;
  private static final int KEYS = 3;
  private static final int BIASES = 24;

  private final GpuOperands operands;
  private final AttentionNumbers numbers;

  private AttentionRow(GpuOperands operands, JsonNode row) {
    this.operands = operands;
    this.numbers = new AttentionNumbers(operands, row);
  }

  private Operand likeQueries() {
    return operands.output(
        numbers.dtype, numbers.batch, numbers.queries, numbers.heads, numbers.size);
  }

  private Operand likeKeys() {
    return operands.output(
        numbers.dtype, numbers.batch, numbers.keys, numbers.kvHeads, numbers.size);
  }

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode json) {
    AttentionRow row = new AttentionRow(operands, json);
    Operand output = row.likeQueries();
    ScaledDotProductAttention attention = row.numbers.call(output, null);
    return GpuCall.of(() -> backend.kernels().run(attention), check -> row.check(check, output));
  }

  private void check(Check check, Operand output) {
    for (long row : Check.places(output.count() / numbers.size, QUERIES)) {
      check(check, output, row);
    }
  }

  /** A row is a query of a head. */
  private void check(Check check, Operand output, long row) {
    AttentionNumbers.Query of = numbers.query(row);
    double[] p = numbers.probabilities(of);
    Sums sums = new Sums(numbers.size);
    for (int k = 0; k < p.length; k++) {
      double weight = p[k] * numbers.kept(of, k);
      long place = numbers.keyPlace(of, k);
      for (int i = 0; i < numbers.size; i++) {
        double term = weight * numbers.value.at(place + i);
        sums.add(i, term, term);
      }
    }
    // Weights are rounded to the operands' dtype one by one, the sum to the output's.
    sums.check(check, "output", row, operands.read(output, row * numbers.size, numbers.size), 2);
  }

  /** Sums of terms, and of the squares of what these err by as a share. */
  private final class Sums {
    private final double[] wanted;
    private final double[] squares;

    Sums(int size) {
      wanted = new double[size];
      squares = new double[size];
    }

    void add(int i, double term, double size) {
      wanted[i] += term;
      squares[i] += size * size;
    }

    void check(Check check, String name, long row, double[] got, double roundings) {
      double epsilon = Numbers.epsilon(numbers.dtype);
      for (int i = 0; i < got.length; i++) {
        double allowed =
            epsilon * Math.abs(wanted[i]) + roundings * epsilon * Math.sqrt(squares[i]) + 1e-6;
        check.add(name, row, i, got[i], wanted[i], allowed);
      }
    }
  }

  /** The gradients, of what a call before gave: output and log-sum-exp. */
  static GpuCall backward(Backend backend, GpuOperands operands, JsonNode json) {
    AttentionRow row = new AttentionRow(operands, json);
    AttentionNumbers numbers = row.numbers;
    Operand output =
        operands.scratch(
            numbers.dtype, numbers.batch, numbers.queries, numbers.heads, numbers.size);
    Operand lse = operands.scratch(DType.F32, numbers.batch, numbers.heads, numbers.queries);
    ScaledDotProductAttention forward = numbers.call(output, lse);
    backend.kernels().run(forward);
    Gradients gradients = row.new Gradients(output, lse);
    AttentionBackward call =
        new AttentionBackward(
            forward,
            gradients.doutput.operand(),
            null,
            null,
            gradients.dquery,
            gradients.dkey,
            gradients.dvalue,
            gradients.dbias,
            null);
    return GpuCall.of(() -> backend.kernels().run(call), gradients::check);
  }

  private final class Gradients {
    final GpuOperands.Input doutput;
    final Operand dquery = likeQueries();
    final Operand dkey = likeKeys();
    final Operand dvalue = likeKeys();
    final Operand dbias;
    private final Operand output;
    private final Operand lse;

    Gradients(Operand output, Operand lse) {
      this.output = output;
      this.lse = lse;
      doutput =
          operands.input(
              numbers.dtype, numbers.batch, numbers.queries, numbers.heads, numbers.size);
      dbias =
          numbers.bias == null ? null : operands.output(DType.F32, numbers.bias.operand().shape());
    }

    void check(Check check) {
      for (long row : Check.places(dquery.count() / numbers.size, QUERIES)) {
        checkQuery(check, row);
      }
      for (long row : Check.places(dkey.count() / numbers.size, KEYS)) {
        checkKey(check, row);
      }
      if (dbias != null) {
        for (long place : Check.places(dbias.count(), BIASES)) {
          checkBias(check, place);
        }
      }
    }

    private double[] doutput(AttentionNumbers.Query of) {
      long row = (of.batch() * numbers.queries + of.token()) * numbers.heads + of.head();
      return doutput.at(row * numbers.size, numbers.size);
    }

    /** The query's own softmax, and the gradients of what its keys' probabilities are. */
    private final class OfQuery {
      final double[] p;
      final double[] dp;
      double delta;
      // What delta errs by, as a share: each of its terms is of a rounded output.
      double size;

      OfQuery(AttentionNumbers.Query of) {
        p = numbers.probabilities(of);
        dp = new double[p.length];
        double[] dout = doutput(of);
        double squares = 0;
        for (int k = 0; k < p.length; k++) {
          dp[k] =
              numbers.kept(of, k)
                  * AttentionNumbers.dot(dout, numbers.value, numbers.keyPlace(of, k));
          delta += p[k] * dp[k];
          squares += p[k] * p[k] * dp[k] * dp[k];
        }
        size = Math.abs(delta) + Math.sqrt(squares);
      }

      double gradient(int k) {
        return p[k] * (dp[k] - delta);
      }

      double size(int k) {
        return p[k] * (Math.abs(dp[k]) + size);
      }
    }

    private void checkQuery(Check check, long row) {
      AttentionNumbers.Query of = numbers.query(row);
      OfQuery found = new OfQuery(of);
      double[] q = numbers.query(of);
      Sums sums = new Sums(numbers.size);
      for (int k = 0; k < found.p.length; k++) {
        double factor = numbers.scale * numbers.slope(q, of, k);
        long place = numbers.keyPlace(of, k);
        for (int i = 0; i < numbers.size; i++) {
          double element = factor * numbers.key.at(place + i);
          sums.add(i, found.gradient(k) * element, found.size(k) * element);
        }
      }
      sums.check(check, "dquery", row, operands.read(dquery, row * numbers.size, numbers.size), 4);
    }

    /** A row is a key of a head, whose gradients come from all queries that share it. */
    private void checkKey(Check check, long row) {
      int size = numbers.size;
      int kvHead = (int) (row % numbers.kvHeads);
      int k = (int) (row / numbers.kvHeads % numbers.keys);
      long batch = row / numbers.kvHeads / numbers.keys;
      int group = numbers.heads / numbers.kvHeads;
      Sums keys = new Sums(size);
      Sums values = new Sums(size);
      for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        for (int token = 0; token < numbers.queries; token++) {
          AttentionNumbers.Query of = new AttentionNumbers.Query(batch, head, token);
          if (k >= numbers.seen(of)) {
            continue;
          }
          double[] q = numbers.query(of);
          double[] dout = doutput(of);
          long at = (batch * numbers.queries + token) * numbers.heads + head;
          double[] out = operands.read(output, at * size, size);
          double sum =
              operands.read(lse, (batch * numbers.heads + head) * numbers.queries + token, 1)[0];
          double p = Math.exp(numbers.score(q, of, k) - sum);
          double kept = numbers.kept(of, k);
          double dp = kept * AttentionNumbers.dot(dout, numbers.value, numbers.keyPlace(of, k));
          double delta = 0;
          double squares = 0;
          for (int i = 0; i < size; i++) {
            delta += dout[i] * out[i];
            squares += dout[i] * out[i] * dout[i] * out[i];
          }
          double factor = p * numbers.scale * numbers.slope(q, of, k);
          double most = Math.abs(dp) + Math.abs(delta) + Math.sqrt(squares);
          for (int i = 0; i < size; i++) {
            keys.add(i, factor * (dp - delta) * q[i], factor * most * q[i]);
            values.add(i, p * kept * dout[i], p * kept * dout[i]);
          }
        }
      }
      keys.check(check, "dkey", row, operands.read(dkey, row * size, size), 4);
      values.check(check, "dvalue", row, operands.read(dvalue, row * size, size), 4);
    }

    private void checkBias(Check check, long place) {
      int k = (int) (place % numbers.keys);
      int token = (int) (place / numbers.keys % numbers.queries);
      int head = (int) (place / numbers.keys / numbers.queries);
      Sums sums = new Sums(1);
      for (long b = 0; b < numbers.batch; b++) {
        AttentionNumbers.Query of = new AttentionNumbers.Query(b, head, token);
        if (k < numbers.seen(of)) {
          OfQuery found = new OfQuery(of);
          sums.add(0, found.gradient(k), found.size(k));
        }
      }
      sums.check(check, "dbias", place, operands.read(dbias, place, 1), 4);
    }
  }
}
