package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuKernels.address;
import static dev.gatun.kernels.cpu.CpuKernels.dtype;
import static dev.gatun.kernels.cpu.CpuMemory.segment;

import dev.gatun.bindings.cpu.CpuAttention;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Turns an attention call into the native one's arguments. */
final class AttentionCall {
  private final Memory memory;

  AttentionCall(Memory memory) {
    this.memory = memory;
  }

  void run(ScaledDotProductAttention c) {
    AttentionKeys keys = c.keys();
    if (keys.isPaged()) {
      Execution.pagesInRange(c, address(keys.blockTable()));
    }
    try (Buffer queryOffsets = ints(c.queryOffsets() == null ? null : c.queryOffsets().values());
        Buffer keyOffsets = ints(keys.offsets() == null ? null : keys.offsets().values());
        Buffer keyLengths = ints(keys.lengths())) {
      CpuAttention a = new CpuAttention();
      a.queryOffsets = orNull(queryOffsets);
      a.keyOffsets = orNull(keyOffsets);
      a.keyLengths = orNull(keyLengths);
      operands(c, a);
      sizes(c, a);
      CpuLibrary.attention(a);
    }
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
      a.pageSize = c.key().size(1);
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

  private Buffer ints(int[] values) {
    return values == null ? null : CpuKernels.ints(memory, values);
  }

  private static MemorySegment orNull(Buffer buffer) {
    return buffer == null ? MemorySegment.NULL : segment(buffer);
  }
}
