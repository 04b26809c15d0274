package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.memory.Buffer;

/** The relative biases of DeBERTa, of sequences whose offsets are uploaded. */
final class CudaDisentangledBias {
  private final Launcher launcher;
  private final Uploads uploads;

  CudaDisentangledBias(Launcher launcher, Uploads uploads) {
    this.launcher = launcher;
    this.uploads = uploads;
  }

  void run(DisentangledBias c) {
    try (Buffer offsets = uploads.ints(c.offsets().values())) {
      long longest = c.bias().size(3);
      launcher.launch(
          "disentangled_bias",
          Math.ceilDiv(longest * longest, 256),
          c.bias().size(1),
          c.offsets().sequences(),
          0,
          launcher
              .with(c.c2p(), c.p2c())
              .address(CudaMemory.address(offsets))
              .operand(c.positions())
              .operand(c.bias())
              .numbers(longest, c.offsets().tokens(), c.span(), c.buckets())
              .number(c.maxPosition())
              .real(c.scale()));
    }
  }
}
