package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.Declarations.BACKWARD_WARPS;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Declarations.Attention;
import dev.gatun.kernels.cuda.Declarations.QuerySums;

/** The gradients of attention: of queries, of keys and values, of the bias and of the sinks. */
final class CudaAttentionGradients {
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
    long tiles = Math.ceilDiv(f.queryLength(), BACKWARD_WARPS);
    CudaAttention.checkLength(c, "queries", f.queryLength());
    CudaAttention.checkLength(c, "keys", f.keyLength());
    long rows = f.batch() * heads * f.queryLength();
    try (Buffer sums = memory.allocate(QuerySums.STRUCT.bytes() * rows)) {
      long at = CudaMemory.address(sums);
      launch(c, "delta", tiles, heads, shared(c, size + width), arguments(c, at));
      launch(c, "queries", tiles, heads, shared(c, 2 * size + width), arguments(c, at));
      launch(
          c,
          "keys",
          Math.ceilDiv(f.keyLength(), BACKWARD_WARPS),
          f.key().size(-2),
          shared(c, 2 * (size + width)),
          arguments(c, at));
      if (c.dbias() != null) {
        Operand bias = c.dbias();
        Arguments arguments = arguments(c, at);
        arguments.numbers(bias.size(0), bias.size(1), bias.size(2), bias.size(3), f.batch());
        launcher.elements("attention_backward_bias", bias.count(), arguments);
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
    long bytes = Float.BYTES * BACKWARD_WARPS * floats;
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
    Arguments arguments = launcher.arguments().begin(Attention.STRUCT);
    CudaAttention.operands(f, arguments);
    CudaAttention.facts(f, null, arguments);
    arguments
        .end()
        .begin(Attention.STRUCT)
        .set(Attention.QUERY, c.dquery())
        .set(Attention.KEY, c.dkey())
        .set(Attention.VALUE, c.dvalue())
        .set(Attention.OUTPUT, c.doutput())
        .set(Attention.LSE, c.dlse())
        .set(Attention.WEIGHTS, c.dweights())
        .set(Attention.KEY_MASK, null)
        .set(Attention.BIAS, c.dbias())
        .set(Attention.SLOPES, null)
        .set(Attention.SINKS, c.dsinks())
        .set(Attention.KEY_SCALES, null)
        .set(Attention.VALUE_SCALES, null);
    CudaAttention.strides(Attention.QUERY_STRIDES, c.dquery(), arguments);
    CudaAttention.strides(Attention.KEY_STRIDES, c.dkey(), arguments);
    CudaAttention.strides(Attention.VALUE_STRIDES, c.dvalue(), arguments);
    CudaAttention.strides(Attention.OUTPUT_STRIDES, c.doutput(), arguments);
    for (int axis = 0; axis < 4; axis++) {
      long stride = c.dbias() == null ? 0 : c.dbiasStride(axis);
      arguments.set(Attention.BIAS_STRIDES, axis, stride);
    }
    CudaAttention.facts(f, null, arguments);
    return arguments.end().address(sums);
  }
}
