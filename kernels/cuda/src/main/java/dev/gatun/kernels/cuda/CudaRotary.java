package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Rotary position embedding, alone and with the write into a cache. */
final class CudaRotary {
  private final Launcher launcher;
  private final CudaMemory memory;
  private final IndexChecks checks;

  CudaRotary(Launcher launcher, CudaMemory memory, IndexChecks checks) {
    this.launcher = launcher;
    this.memory = memory;
    this.checks = checks;
  }

  void run(RotaryEmbedding c) {
    checks.inRange(c, "position", c.positions(), c.cosine().size(0), null);
    launcher.launch(
        "rotary_embedding",
        c.x().size(0),
        1,
        1,
        0,
        launcher
            .arguments()
            .operand(c.x())
            .operand(c.cosine())
            .operand(c.sine())
            .operand(c.positions())
            .operand(c.y())
            .integer(dtype(c.x().dtype()))
            .integer(c.interleaved() ? 1 : 0)
            .numbers(c.x().stride(0), c.y().stride(0), c.x().size(1), c.x().size(2))
            .number(c.cosine().size(1)));
  }

  void run(RotaryCacheUpdate c) {
    checks.inRange(c, "position", c.positions(), c.cosine().size(0), null);
    checkSlots(c);
    Operand key = c.keyCache();
    Operand value = c.valueCache();
    launcher.launch(
        "rotary_cache_update",
        c.qkv().size(0),
        1,
        1,
        0,
        launcher
            .arguments()
            .operand(c.qkv())
            .operand(c.cosine())
            .operand(c.sine())
            .operand(c.positions())
            .operand(c.slots())
            .operand(c.query())
            .operand(key)
            .operand(value)
            .integer(dtype(c.qkv().dtype()))
            .integer(c.interleaved() ? 1 : 0)
            .numbers(c.qkv().stride(0), c.query().stride(0))
            .numbers(key.stride(0), key.stride(1), key.stride(2))
            .numbers(value.stride(0), value.stride(1), value.stride(2))
            .numbers(c.query().size(1), key.size(2), c.query().size(2), c.cosine().size(1))
            .number(key.size(1)));
  }

  /** On the host: that slots are distinct is quickly seen where they can be sorted. */
  private void checkSlots(RotaryCacheUpdate c) {
    if (launcher.isRecording()) {
      return;
    }
    long tokens = c.slots().size(0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment slots = arena.allocate(Math.max(1, tokens) * Long.BYTES, Long.BYTES);
      memory.read(
          CudaMemory.address(c.slots().buffer()) + c.slots().byteOffset(),
          slots.asSlice(0, tokens * Long.BYTES));
      Execution.inRange(c, "slot", slots, tokens, c.slotCount(), -1L);
      Execution.distinct(c, "slot", slots, tokens, -1L);
    }
  }
}
