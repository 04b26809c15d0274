package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.NormCall;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.DType;
import java.util.Arrays;

/** Norms of rows, and softmax. */
final class NormReference {
  private final Precision p;
  private final Functions functions;
  private final NormBackwardReference backward;

  NormReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
    this.backward = new NormBackwardReference(precision);
  }

  void run(NormCall call) {
    switch (call) {
      case L2Normalize c -> l2Normalize(c);
      case LayerNorm c -> layerNorm(c);
      case LayerNormBackward c -> backward.layerNorm(c);
      case RmsNorm c -> rmsNorm(c);
      case RmsNormBackward c -> backward.rmsNorm(c);
      case Softmax c -> softmax(c);
      case SoftmaxBackward c -> backward.softmax(c);
    }
  }

  private void layerNorm(LayerNorm c) {
    View x = View.of(c.x());
    View residual = View.of(c.residual());
    View weight = View.of(c.weight());
    View bias = View.of(c.bias());
    View y = View.of(c.y());
    View sum = View.of(c.sum());
    long columns = c.x().size(1);
    for (long r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * columns, columns);
      double total = 0;
      for (int i = 0; i < columns; i++) {
        if (residual != null) {
          row[i] = p.round(row[i] + residual.get(r * columns + i));
        }
        total = p.round(total + row[i]);
      }
      if (sum != null) {
        sum.setRow(r * columns, row);
      }
      double mean = p.round(total / columns);
      double squares = 0;
      for (int i = 0; i < columns; i++) {
        row[i] = p.round(row[i] - mean);
        squares = p.round(squares + p.round(row[i] * row[i]));
      }
      double scale = p.round(1 / p.round(Math.sqrt(p.round(p.round(squares / columns) + c.eps()))));
      for (int i = 0; i < columns; i++) {
        double value = p.round(row[i] * scale);
        value = weight == null ? value : p.round(value * weight.get(i));
        row[i] = bias == null ? value : p.round(value + bias.get(i));
      }
      write(row, y, c.codes(), c.x().dtype(), r);
    }
  }

  /** Writes a row of y, as codes, or as both. */
  private static void write(double[] row, View y, TokenCodes codes, DType dtype, long r) {
    if (y != null) {
      y.setRow(r * row.length, row);
    }
    if (codes != null) {
      Codes.write(Arrays.stream(row).map(v -> View.rounded(v, dtype)).toArray(), codes, r);
    }
  }

  private void rmsNorm(RmsNorm c) {
    View x = View.of(c.x());
    View residual = View.of(c.residual());
    View weight = View.of(c.weight());
    View y = View.of(c.y());
    View sum = View.of(c.sum());
    long columns = c.x().size(1);
    for (long r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * columns, columns);
      for (int i = 0; residual != null && i < columns; i++) {
        row[i] = p.round(row[i] + residual.get(r * columns + i));
      }
      if (sum != null) {
        sum.setRow(r * columns, row);
      }
      double mean = p.round(functions.dot(row, row) / columns);
      double scale = p.round(1 / p.round(Math.sqrt(p.round(mean + c.eps()))));
      for (int i = 0; i < columns; i++) {
        double factor = p.round(c.shift() + weight.get(i));
        row[i] = p.round(p.round(row[i] * scale) * factor);
      }
      write(row, y, c.codes(), c.x().dtype(), r);
    }
  }

  private void softmax(Softmax c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    for (long r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * columns, columns);
      double top = Functions.largest(row);
      double total = functions.expSum(row, top);
      for (int i = 0; i < columns; i++) {
        double difference = p.round(row[i] - top);
        y.set(
            r * columns + i,
            c.log()
                ? p.round(difference - p.round(Math.log(total)))
                : p.round(p.round(Math.exp(difference)) / total));
      }
    }
  }

  private void l2Normalize(L2Normalize c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    for (long r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * columns, columns);
      double norm = p.round(Math.sqrt(functions.dot(row, row)));
      double divisor = norm < c.eps() ? c.eps() : norm;
      for (int i = 0; i < columns; i++) {
        y.set(r * columns + i, p.round(row[i] / divisor));
      }
    }
  }
}
