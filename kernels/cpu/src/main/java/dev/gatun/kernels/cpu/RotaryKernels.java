package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.inRange;

import dev.gatun.bindings.cpu.CpuChecks;
import dev.gatun.bindings.cpu.CpuRotary;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Turns rotary calls into the native ones' arguments. */
final class RotaryKernels {
  private RotaryKernels() {}

  static void run(RotaryEmbedding c) {
    inRange(c, "position", c.positions(), c.cosine().size(0), null);
    CpuRotary.rotary(
        address(c.x()),
        c.x().stride(0),
        address(c.cosine()),
        address(c.sine()),
        address(c.positions().values()),
        address(c.y()),
        c.y().stride(0),
        dtype(c.x().dtype()),
        c.x().size(0),
        c.x().size(1),
        c.x().size(2),
        2 * c.cosine().size(1),
        c.interleaved());
  }

  static void run(RotaryCacheUpdate c) {
    long tokens = c.qkv().size(0);
    inRange(c, "position", c.positions(), c.cosine().size(0), null);
    inRange(c, "slot", c.slots(), c.slotCount(), -1L);
    if (c.slots().isUnknown()) {
      MemorySegment slots = address(c.slots().values());
      CpuChecks.distinct(
          slots, tokens, -1, () -> Execution.distinct(c, "slot", slots, tokens, -1L));
    }
    CpuRotary.rotaryCacheUpdate(
        address(c.qkv()),
        c.qkv().stride(0),
        address(c.cosine()),
        address(c.sine()),
        address(c.positions().values()),
        address(c.slots().values()),
        address(c.query()),
        c.query().stride(0),
        address(c.keyCache()),
        strides(c.keyCache()),
        address(c.valueCache()),
        strides(c.valueCache()),
        address(c.scales() == null ? null : c.scales().keys()),
        address(c.scales() == null ? null : c.scales().values()),
        dtype(c.qkv().dtype()),
        tokens,
        c.query().size(1),
        c.keyCache().size(2),
        c.query().size(2),
        2 * c.cosine().size(1),
        c.interleaved(),
        c.keyCache().size(1));
  }

  /** Strides of a row, a place in it and a head. */
  private static long[] strides(Operand cache) {
    return new long[] {cache.stride(0), cache.stride(1), cache.stride(2)};
  }
}
