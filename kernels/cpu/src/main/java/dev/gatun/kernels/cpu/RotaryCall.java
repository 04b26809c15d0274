package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuKernels.address;
import static dev.gatun.kernels.cpu.CpuKernels.dtype;

import dev.gatun.bindings.cpu.CpuRotary;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;

/** Turns rotary calls into the native ones' arguments. */
final class RotaryCall {
  private RotaryCall() {}

  static void run(RotaryEmbedding c) {
    Execution.inRange(
        c, "position", address(c.positions()), c.positions().size(0), c.cosine().size(0), null);
    CpuRotary.rotary(
        address(c.x()),
        c.x().stride(0),
        address(c.cosine()),
        address(c.sine()),
        address(c.positions()),
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
    Execution.inRange(c, "position", address(c.positions()), tokens, c.cosine().size(0), null);
    Execution.inRange(c, "slot", address(c.slots()), tokens, c.slotCount(), -1L);
    Execution.distinct(c, "slot", address(c.slots()), tokens, -1L);
    CpuRotary.rotaryCacheUpdate(
        address(c.qkv()),
        c.qkv().stride(0),
        address(c.cosine()),
        address(c.sine()),
        address(c.positions()),
        address(c.slots()),
        address(c.query()),
        c.query().stride(0),
        address(c.keyCache()),
        strides(c.keyCache()),
        address(c.valueCache()),
        strides(c.valueCache()),
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
