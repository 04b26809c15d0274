package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** Steps of Adafactor over lists of parameters. */
final class AdafactorReference {
  private final Precision p;

  AdafactorReference(Precision precision) {
    this.p = precision;
  }

  void run(AdafactorStep c) {
    double factor = OptimReference.factor(p, c.scale(), c.norm(), c.maxNorm());
    if (Double.isFinite(factor)) {
      for (ParameterUpdate update : c.parameters()) {
        if (update.parameter().count() > 0) {
          step(c, update, factor);
        }
      }
    }
  }

  private void step(AdafactorStep c, ParameterUpdate update, double factor) {
    int count = Math.toIntExact(update.parameter().count());
    View parameter = View.of(update.parameter());
    double[] x = parameter.row(0, count);
    double[] u = View.of(update.gradient()).row(0, count);
    Arrays.setAll(u, i -> p.round(factor * u[i]));
    double kept = 1 - Math.pow(c.step(), c.rule().decayRate());
    int next;
    if (update.parameter().rank() >= 2) {
      divideMatrices(c, update, kept, u);
      next = 2;
    } else {
      divide(c, View.of(update.states().getFirst()), kept, u);
      next = 1;
    }
    double own = update.rate();
    if (c.rule().scaleParameter()) {
      own = p.round(own * Math.max(c.rule().eps2(), rootMeanSquare(x)));
    }
    double size = p.round(rootMeanSquare(u) / c.rule().clipThreshold());
    double share = p.round(own / Math.max(1, size));
    View copy = View.of(update.copy());
    double left = p.round(1 - p.round(update.decay() * own));
    for (int i = 0; i < count; i++) {
      double change = p.round(u[i] * share);
      if (c.rule().beta1() > 0) {
        View mean = View.of(update.states().get(next));
        change = mean(c.rule().beta1(), mean.get(i), change);
        mean.set(i, change);
      }
      double y = p.round(p.round(x[i] * left) - change);
      parameter.set(i, y);
      if (copy != null) {
        copy.set(i, y);
      }
    }
  }

  private double square(AdafactorStep c, double g) {
    return p.round(p.round(g * g) + c.rule().eps1());
  }

  private void divide(AdafactorStep c, View squares, double kept, double[] u) {
    for (int i = 0; i < u.length; i++) {
      double v = mean(kept, squares.get(i), square(c, u[i]));
      squares.set(i, v);
      u[i] = p.round(u[i] / p.round(Math.sqrt(v)));
    }
  }

  private void divideMatrices(AdafactorStep c, ParameterUpdate update, double kept, double[] u) {
    AdafactorStep.Matrices of = AdafactorStep.Matrices.of(update.parameter());
    int rows = (int) of.rows();
    int columns = (int) of.columns();
    View rowStates = View.of(update.states().get(0));
    View columnStates = View.of(update.states().get(1));
    for (int b = 0; b < of.batches(); b++) {
      int at = b * rows * columns;
      double[] row = new double[rows];
      for (int i = 0; i < rows; i++) {
        int first = at + i * columns;
        double mean = mean(columns, j -> square(c, u[first + j]));
        row[i] = mean(kept, rowStates.get(b * rows + i), mean);
        rowStates.set(b * rows + i, row[i]);
      }
      double[] column = new double[columns];
      for (int j = 0; j < columns; j++) {
        int first = at + j;
        double mean = mean(rows, i -> square(c, u[first + i * columns]));
        column[j] = mean(kept, columnStates.get(b * columns + j), mean);
        columnStates.set(b * columns + j, column[j]);
      }
      double whole = mean(rows, i -> row[i]);
      for (int i = 0; i < rows; i++) {
        double root = p.round(Math.sqrt(p.round(row[i] / whole)));
        for (int j = 0; j < columns; j++) {
          int k = at + i * columns + j;
          u[k] = p.round(p.round(u[k] / root) / p.round(Math.sqrt(column[j])));
        }
      }
    }
  }

  private double mean(int count, IntToDoubleFunction of) {
    double total = 0;
    for (int i = 0; i < count; i++) {
      total = p.round(total + of.applyAsDouble(p.term(i, count)));
    }
    return p.round(total / count);
  }

  /** {@code share · mean + (1 - share) x}. */
  private double mean(double share, double mean, double x) {
    return p.round(p.round(share * mean) + p.round((1 - share) * x));
  }

  private double rootMeanSquare(double[] x) {
    return p.round(Math.sqrt(mean(x.length, i -> p.round(x[i] * x[i]))));
  }
}
