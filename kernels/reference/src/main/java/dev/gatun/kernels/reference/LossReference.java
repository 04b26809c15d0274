package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.loss.CrossEntropy;
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
}
