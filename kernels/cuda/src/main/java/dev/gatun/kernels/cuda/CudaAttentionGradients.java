package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;

/** The gradients of attention: of queries, of keys and values, of the bias and of the sinks. */
final class CudaAttentionGradients {
  private static final int WARPS = 4;
  private static final long ELEMENTS = 256;

  /** Floats that a query has of its own, backward.cu's {@code QuerySums}. */
  private static final long SUMS = 3;

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaAttentionGradients(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  void run(AttentionBackward c) {
    ScaledDotProductAttention f = c.forward();
    long heads = f.query().size(-2);
    long size = f.query().size(-1);
    long width = f.value().size(-1);
    long tiles = Math.ceilDiv(f.queryLength(), WARPS);
    CudaAttention.checkLength(c, "queries", f.queryLength());
    CudaAttention.checkLength(c, "keys", f.keyLength());
    long rows = f.batch() * heads * f.queryLength();
    try (Buffer sums = memory.allocate(SUMS * Float.BYTES * rows)) {
      long at = CudaMemory.address(sums);
      launch(c, "delta", tiles, heads, shared(c, size + width), arguments(c, at));
      launch(c, "queries", tiles, heads, shared(c, 2 * size + width), arguments(c, at));
      launch(
          c,
          "keys",
          Math.ceilDiv(f.keyLength(), WARPS),
          f.key().size(-2),
          shared(c, 2 * (size + width)),
          arguments(c, at));
      if (c.dbias() != null) {
        Operand bias = c.dbias();
        Arguments arguments = arguments(c, at);
        arguments.numbers(bias.size(0), bias.size(1), bias.size(2), bias.size(3), f.batch());
        launcher.launch(
            "attention_backward_bias", Math.ceilDiv(bias.count(), ELEMENTS), 1, 1, arguments);
      }
      if (c.dsinks() != null) {
        launcher.rows("attention_backward_sinks", heads, arguments(c, at).number(f.batch()));
      }
    }
  }

  private void launch(
      AttentionBackward c, String part, long x, long y, int bytes, Arguments arguments) {
    launcher.launch("attention_backward_" + part, x, y, c.forward().batch(), bytes, arguments);
  }

  /** The bytes of so many floats a warp. */
  private int shared(AttentionBackward c, long floats) {
    long bytes = Float.BYTES * WARPS * floats;
    int limit = launcher.context().sharedMemoryLimit();
    if (bytes > limit) {
      throw new IllegalArgumentException(
          "%s: head sizes %d and %d need %d bytes of shared memory, the device has %d"
              .formatted(
                  c.kernel(),
                  c.forward().query().size(-1),
                  c.forward().value().size(-1),
                  bytes,
                  limit));
    }
    return (int) bytes;
  }

  private Arguments arguments(AttentionBackward c, long sums) {
    ScaledDotProductAttention f = c.forward();
    Arguments arguments = launcher.arguments().begin();
    CudaAttention.operands(f, arguments);
    CudaAttention.sequences(f, arguments);
    CudaAttention.sizes(f, arguments);
    arguments.end().begin();
    arguments.operand(c.dquery()).operand(c.dkey()).operand(c.dvalue()).operand(c.doutput());
    arguments.operand(c.dlse()).operand(c.dweights()).operand(null);
    arguments.operand(c.dbias()).operand(null).operand(c.dsinks());
    arguments.operand(null).operand(null);
    CudaAttention.sequences(f, arguments);
    CudaAttention.strides(c.dquery(), arguments);
    CudaAttention.strides(c.dkey(), arguments);
    CudaAttention.strides(c.dvalue(), arguments);
    CudaAttention.strides(c.doutput(), arguments);
    for (int axis = 0; axis < 4; axis++) {
      arguments.number(c.dbias() == null ? 0 : c.dbiasStride(axis));
    }
    CudaAttention.numbers(f, arguments);
    return arguments.end().address(sums);
  }
}
