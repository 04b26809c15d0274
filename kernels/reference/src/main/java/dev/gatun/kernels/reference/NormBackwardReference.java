package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.Operand;

/** Gradients of norms of rows, and of softmax. */
final class NormBackwardReference {
  private final Precision p;
  private final Functions functions;

  NormBackwardReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void layerNorm(LayerNormBackward c) {
    View x = View.of(c.x());
    View weight = View.of(c.weight());
    int columns = Math.toIntExact(c.x().size(1));
    double[] dweight = new double[columns];
    double[] dbias = new double[columns];
    int rows = Math.toIntExact(c.x().size(0));
    for (int n = 0; n < rows; n++) {
      long first = p.term(n, rows) * (long) columns;
      double[] row = x.row(first, columns);
      double mean = p.round(sum(row) / columns);
      for (int i = 0; i < columns; i++) {
        row[i] = p.round(row[i] - mean);
      }
      double variance = p.round(functions.dot(row, row) / columns);
      double scale = p.round(1 / p.round(Math.sqrt(p.round(variance + c.eps()))));
      double[] g = new double[columns];
      double[] dy = View.of(c.dy()).row(first, columns);
      for (int i = 0; i < columns; i++) {
        row[i] = p.round(row[i] * scale);
        g[i] = weight == null ? dy[i] : p.round(dy[i] * weight.get(i));
        dweight[i] = p.round(dweight[i] + p.round(dy[i] * row[i]));
        dbias[i] = p.round(dbias[i] + dy[i]);
      }
      double ofOnes = p.round(sum(g) / columns);
      double ofRow = p.round(functions.dot(g, row) / columns);
      for (int i = 0; i < columns; i++) {
        g[i] = p.round(p.round(g[i] - ofOnes) - p.round(row[i] * ofRow));
        g[i] = p.round(g[i] * scale);
      }
      write(g, c.added(), c.dx(), first);
    }
    write(dweight, null, c.dweight(), 0);
    write(dbias, null, c.dbias(), 0);
  }

  void rmsNorm(RmsNormBackward c) {
    View x = View.of(c.x());
    View weight = View.of(c.weight());
    int columns = Math.toIntExact(c.x().size(1));
    double[] dweight = new double[columns];
    int rows = Math.toIntExact(c.x().size(0));
    for (int n = 0; n < rows; n++) {
      long first = p.term(n, rows) * (long) columns;
      double[] row = x.row(first, columns);
      double mean = p.round(functions.dot(row, row) / columns);
      double scale = p.round(1 / p.round(Math.sqrt(p.round(mean + c.eps()))));
      double[] g = View.of(c.dy()).row(first, columns);
      for (int i = 0; i < columns; i++) {
        row[i] = p.round(row[i] * scale);
        dweight[i] = p.round(dweight[i] + p.round(g[i] * row[i]));
        g[i] = p.round(g[i] * p.round(c.shift() + weight.get(i)));
      }
      double ofRow = p.round(functions.dot(g, row) / columns);
      for (int i = 0; i < columns; i++) {
        g[i] = p.round(p.round(g[i] - p.round(row[i] * ofRow)) * scale);
      }
      write(g, c.added(), c.dx(), first);
    }
    write(dweight, null, c.dweight(), 0);
  }

  void softmax(SoftmaxBackward c) {
    int columns = Math.toIntExact(c.y().size(1));
    for (long r = 0; r < c.y().size(0); r++) {
      double[] dy = View.of(c.dy()).row(r * columns, columns);
      double[] y = View.of(c.y()).row(r * columns, columns);
      double total = c.log() ? sum(dy) : functions.dot(dy, y);
      for (int i = 0; i < columns; i++) {
        y[i] =
            c.log()
                ? p.round(dy[i] - p.round(p.round(Math.exp(y[i])) * total))
                : p.round(y[i] * p.round(dy[i] - total));
      }
      write(y, null, c.dx(), r * columns);
    }
  }

  private double sum(double[] row) {
    double sum = 0;
    for (int i = 0; i < row.length; i++) {
      sum = p.round(sum + row[p.term(i, row.length)]);
    }
    return sum;
  }

  /** Writes a row and what is added to it; nothing where nobody asked for it. */
  private void write(double[] row, Operand added, Operand to, long first) {
    if (to == null) {
      return;
    }
    for (int i = 0; added != null && i < row.length; i++) {
      row[i] = p.round(row[i] + View.of(added).get(first + i));
    }
    View.of(to).setRow(first, row);
  }
}
