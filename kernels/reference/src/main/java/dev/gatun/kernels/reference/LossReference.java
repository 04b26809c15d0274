package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.loss.LossCall;

/** Losses. */
final class LossReference {
  private final Precision p;
  private final Functions functions;

  LossReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(LossCall call) {
    switch (call) {
      case CrossEntropy c -> crossEntropy(c);
      case CrossEntropyBackward c -> crossEntropyBackward(c);
    }
  }

  private void crossEntropy(CrossEntropy c) {
    View logits = View.of(c.logits());
    View targets = View.of(c.targets().values());
    View loss = View.of(c.loss());
    long columns = c.logits().size(1);
    View.inRange(c, "target", c.targets(), columns, c.ignoreIndex());
    for (long r = 0; r < c.logits().size(0); r++) {
      long target = targets.getLong(r);
      if (target == c.ignoreIndex()) {
        loss.set(r, 0);
        continue;
      }
      double[] row = logits.row(r * columns, columns);
      double top = Functions.largest(row);
      double logarithm = p.round(Math.log(functions.expSum(row, top)));
      loss.set(r, p.round(logarithm - p.round(row[(int) target] - top)));
    }
  }

  private void crossEntropyBackward(CrossEntropyBackward c) {
    View logits = View.of(c.logits());
    View targets = View.of(c.targets().values());
    View weights = View.of(c.weights());
    View dlogits = View.of(c.dlogits());
    View loss = View.of(c.loss());
    long columns = c.logits().size(1);
    View.inRange(c, "target", c.targets(), columns, c.ignoreIndex());
    for (long r = 0; r < c.logits().size(0); r++) {
      long target = targets.getLong(r);
      boolean counts = target != c.ignoreIndex();
      double[] row = counts ? logits.row(r * columns, columns) : new double[(int) columns];
      double scale = weights == null ? c.scale() : p.round(c.scale() * weights.get(r));
      double own = counts ? lossAndGradient(c, row, (int) target, scale) : 0;
      if (dlogits != null) {
        dlogits.setRow(r * columns, row);
      }
      if (loss != null) {
        loss.set(r, own);
      }
    }
  }

  /** The loss of a row, which becomes the gradient. */
  private double lossAndGradient(CrossEntropyBackward c, double[] row, int target, double scale) {
    double top = Functions.largest(row);
    double total = functions.expSum(row, top);
    double logarithm = p.round(Math.log(total));
    double lse = p.round(top + logarithm);
    double less = 0;
    for (int i = 0; i < row.length; i++) {
      less = p.round(less + p.round(row[p.term(i, row.length)] - top));
    }
    double likelihood = p.round(logarithm - p.round(row[target] - top));
    double smooth = p.round(logarithm - p.round(less / row.length));
    double loss = p.round((1 - c.smoothing()) * likelihood);
    loss = p.round(loss + p.round(c.zLoss() * p.round(lse * lse)));
    loss = c.smoothing() == 0 ? loss : p.round(loss + p.round(c.smoothing() * smooth));
    double grown = p.round(1 + p.round(2 * c.zLoss() * lse));
    for (int i = 0; i < row.length; i++) {
      double share = p.round(p.round(Math.exp(p.round(row[i] - top))) / total);
      double gradient = p.round(p.round(share * grown) - p.round(c.smoothing() / row.length));
      row[i] = p.round(scale * (i == target ? p.round(gradient - (1 - c.smoothing())) : gradient));
    }
    return p.round(scale * loss);
  }
}
