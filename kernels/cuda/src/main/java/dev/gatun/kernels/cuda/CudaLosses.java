package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.loss.CrossEntropy;

/** Losses, whose targets are checked before. */
final class CudaLosses {
  private final Launcher launcher;
  private final IndexChecks checks;

  CudaLosses(Launcher launcher, IndexChecks checks) {
    this.launcher = launcher;
    this.checks = checks;
  }

  void run(CrossEntropy c) {
    checks.inRange(c, "target", c.targets(), c.logits().size(1), c.ignoreIndex());
    launcher.rows(
        "cross_entropy",
        c.logits().size(0),
        launcher
            .with(c.logits(), c.targets(), c.loss())
            .integer(dtype(c.logits().dtype()))
            .numbers(c.logits().size(1), c.ignoreIndex()));
  }
}
