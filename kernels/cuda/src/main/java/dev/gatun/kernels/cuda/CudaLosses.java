package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.loss.LossCall;
import dev.gatun.kernels.cuda.IndexChecks.Bound;

/** Losses. */
final class CudaLosses {
  private final Launcher launcher;
  private final IndexChecks checks;

  CudaLosses(Launcher launcher, IndexChecks checks) {
    this.launcher = launcher;
    this.checks = checks;
  }

  void run(LossCall call) {
    switch (call) {
      case CrossEntropy c -> crossEntropy(c);
      case CrossEntropyBackward c -> crossEntropyBackward(c);
    }
  }

  private void crossEntropy(CrossEntropy c) {
    long columns = c.logits().size(1);
    Arguments arguments =
        launcher
            .with(c.logits(), c.targets().values(), c.loss())
            .integer(dtype(c.logits().dtype()))
            .numbers(columns, c.ignoreIndex());
    launcher.rows(
        "cross_entropy",
        c.logits().size(0),
        CudaNorms.threadsOfLongRows(c.logits()),
        checks.report(arguments, c, Bound.below("target", c.targets(), columns)));
  }

  private void crossEntropyBackward(CrossEntropyBackward c) {
    long columns = c.logits().size(1);
    Arguments arguments =
        launcher
            .with(c.logits(), c.targets().values(), c.weights(), c.dlogits(), c.loss())
            .integer(dtype(c.logits().dtype()))
            .numbers(columns, c.ignoreIndex())
            .real(c.smoothing())
            .real(c.zLoss())
            .real(c.scale());
    launcher.rows(
        "cross_entropy_backward",
        c.logits().size(0),
        checks.report(arguments, c, Bound.below("target", c.targets(), columns)));
  }
}
