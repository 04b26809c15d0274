package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.attention.DisentangledBias;

/** The relative biases of DeBERTa, of a ragged batch. */
final class CudaDisentangledBias {
  private final Launcher launcher;

  CudaDisentangledBias(Launcher launcher) {
    this.launcher = launcher;
  }

  void run(DisentangledBias c) {
    long longest = c.bias().size(3);
    launcher.launch(
        "disentangled_bias",
        Math.ceilDiv(longest * longest, 256),
        c.bias().size(1),
        c.offsets().sequences(),
        0,
        launcher
            .with(c.c2p(), c.p2c(), c.offsets().values(), c.positions(), c.bias())
            .numbers(longest, c.offsets().tokens(), c.span(), c.buckets())
            .number(c.maxPosition())
            .real(c.scale()));
  }
}
