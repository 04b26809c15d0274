package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.inRange;

import dev.gatun.bindings.cpu.CpuBackward;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.loss.LossCall;

/** Losses. */
final class LossKernels {
  private LossKernels() {}

  static void run(LossCall call) {
    switch (call) {
      case CrossEntropy c -> crossEntropy(c);
      case CrossEntropyBackward c -> crossEntropyBackward(c);
    }
  }

  private static void crossEntropy(CrossEntropy c) {
    inRange(c, "target", c.targets(), c.logits().size(1), c.ignoreIndex());
    CpuRows.crossEntropy(
        address(c.logits()),
        dtype(c.logits().dtype()),
        address(c.targets().values()),
        c.logits().size(0),
        c.logits().size(1),
        c.ignoreIndex(),
        address(c.loss()));
  }

  private static void crossEntropyBackward(CrossEntropyBackward c) {
    inRange(c, "target", c.targets(), c.logits().size(1), c.ignoreIndex());
    CpuBackward.crossEntropy(
        address(c.logits()),
        dtype(c.logits().dtype()),
        address(c.targets().values()),
        address(c.weights()),
        c.logits().size(0),
        c.logits().size(1),
        c.ignoreIndex(),
        c.smoothing(),
        c.zLoss(),
        c.scale(),
        address(c.dlogits()),
        address(c.loss()));
  }
}
