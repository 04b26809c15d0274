package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.offsets;

import dev.gatun.bindings.cpu.CpuAttention;
import dev.gatun.bindings.cpu.CpuChecks;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Turns an attention call into the native one's arguments. */
final class AttentionKernels {
  private AttentionKernels() {}

  static void run(AttentionCall call) {
    switch (call) {
      case ScaledDotProductAttention c -> CpuLibrary.attention(arguments(c, c));
      case AttentionBackward c -> backward(c);
      case DisentangledBias c -> disentangledBias(c);
      case RotaryEmbedding c -> RotaryKernels.run(c);
      case RotaryCacheUpdate c -> RotaryKernels.run(c);
    }
  }

  /** What attention is called with, by a call that messages name. */
  private static CpuAttention arguments(ScaledDotProductAttention c, KernelCall call) {
    AttentionKeys keys = c.keys();
    CpuAttention a = new CpuAttention();
    a.queryOffsets = offsets(call, c.queryOffsets());
    a.keyOffsets = offsets(call, keys.offsets());
    a.keyLengths = lengths(c, call);
    operands(c, a);
    sizes(c, a);
    return a;
  }

  private static void backward(AttentionBackward c) {
    CpuAttention gradients = new CpuAttention();
    gradients.query = address(c.dquery());
    gradients.key = address(c.dkey());
    gradients.value = address(c.dvalue());
    gradients.output = address(c.doutput());
    gradients.lse = address(c.dlse());
    gradients.weights = address(c.dweights());
    // The kernel takes an axis with a stride of 0 for one that the bias was repeated on; an axis of
    // no
    // elements may have it too.
    boolean hasBias = c.dbias() != null && c.dbias().count() > 0;
    gradients.bias = hasBias ? address(c.dbias()) : address(null);
    gradients.sinks = address(c.dsinks());
    strides(c.dquery(), gradients.queryStrides);
    strides(c.dkey(), gradients.keyStrides);
    strides(c.dvalue(), gradients.valueStrides);
    strides(c.doutput(), gradients.outputStrides);
    for (int axis = 0; c.dbias() != null && axis < 4; axis++) {
      gradients.biasStrides[axis] = c.dbiasStride(axis);
    }
    CpuAttention a = arguments(c.forward(), c);
    // The gradients lie as what they are of: where sequences begin is told once more.
    gradients.queryOffsets = a.queryOffsets;
    gradients.keyOffsets = a.keyOffsets;
    gradients.keyLengths = a.keyLengths;
    sizes(c.forward(), gradients);
    CpuLibrary.attentionBackward(a, gradients);
  }

  /** The keys in use of each sequence, once they and their pages were looked at. */
  private static MemorySegment lengths(ScaledDotProductAttention c, KernelCall call) {
    AttentionKeys keys = c.keys();
    if (keys.lengths() == null) {
      return MemorySegment.NULL;
    }
    MemorySegment values = address(keys.lengths().values());
    Lengths lengths = keys.lengths();
    long rows = lengths.values().count();
    CpuChecks.places(
        values, rows, 0, lengths.longest() + 1L, () -> lengths.check(call.kernel(), values));
    if (keys.isPaged() && keys.pages().isUnknown()) {
      MemorySegment table = address(keys.blockTable());
      CpuChecks.pages(
          table,
          keys.blockTable().stride(0),
          values,
          c.batch(),
          Math.max(1, c.key().size(1)),
          c.key().size(0),
          () -> Execution.pagesInRange(c, table, lengths.check(call.kernel(), values)));
    }
    return values;
  }

  private static void operands(ScaledDotProductAttention c, CpuAttention a) {
    a.query = address(c.query());
    a.key = address(c.key());
    a.value = address(c.value());
    a.output = address(c.output());
    a.lse = address(c.lse());
    a.weights = address(c.weights());
    a.keyMask = address(c.mask().keys());
    a.bias = address(c.scores().bias());
    a.alibi = address(c.scores().slopes());
    a.sinks = address(c.scores().sinks());
    strides(c.query(), a.queryStrides);
    strides(c.key(), a.keyStrides);
    strides(c.value(), a.valueStrides);
    strides(c.output(), a.outputStrides);
    if (c.scores().bias() != null) {
      for (int axis = 0; axis < 4; axis++) {
        a.biasStrides[axis] = c.biasStride(axis);
      }
    }
    Operand blockTable = c.keys().blockTable();
    if (blockTable != null) {
      a.blockTable = address(blockTable);
      a.blockTableStride = blockTable.stride(0);
      a.pageSize = Math.max(1, c.key().size(1));
    }
    CacheScales scales = c.keys().scales();
    if (scales != null) {
      a.keyScales = address(scales.keys());
      a.valueScales = address(scales.values());
      a.room = c.key().rank() == 4 ? c.key().size(1) : 0;
    }
  }

  private static void sizes(ScaledDotProductAttention c, CpuAttention a) {
    a.batch = c.batch();
    a.heads = c.query().size(-2);
    a.kvHeads = c.key().size(-2);
    a.queryLength = c.queryLength();
    a.keyLength = c.keyLength();
    a.headSize = c.query().size(-1);
    a.valueHeadSize = c.value().size(-1);
    a.window = c.mask().window();
    a.causal = c.mask().causal().ordinal();
    a.scale = c.scores().scale();
    a.softcap = c.scores().softcap();
    a.dropout = c.dropout().probability();
    a.seed = c.dropout().seed();
    a.dtype = dtype(c.query().dtype());
  }

  /** Batch, token and head strides; a ragged operand has no batch axis. */
  private static void strides(Operand operand, long[] strides) {
    strides[0] = operand.rank() == 4 ? operand.stride(0) : 0;
    strides[1] = operand.stride(-3);
    strides[2] = operand.stride(-2);
  }

  private static void disentangledBias(DisentangledBias c) {
    CpuLibrary.disentangledBias(
        address(c.c2p()),
        address(c.p2c()),
        offsets(c, c.offsets()),
        address(c.positions()),
        c.offsets().sequences(),
        c.bias().size(1),
        c.offsets().tokens(),
        c.span(),
        c.buckets(),
        c.maxPosition(),
        c.scale(),
        address(c.bias()),
        c.bias().size(3));
  }
}
