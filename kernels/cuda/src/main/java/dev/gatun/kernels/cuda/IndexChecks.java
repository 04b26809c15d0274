package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Checks of indices that lie on the device, before the kernel that uses them. Each waits for the
 * device, so that an error is the call's that it belongs to. Nothing is checked while work is
 * recorded, for it was run before.
 */
final class IndexChecks {
  private final Launcher launcher;
  private final CudaMemory memory;

  IndexChecks(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  /** As {@link Execution#inRange}. */
  void inRange(KernelCall call, String what, Operand ids, long limit, Long exception) {
    long count = ids.size(0);
    if (count == 0 || launcher.isRecording()) {
      return;
    }
    try (Buffer first = memory.allocate(8)) {
      launcher.stream().fill(CudaMemory.address(first), 0xff, 8);
      launcher.elements(
          "index_range",
          count,
          launcher
              .arguments()
              .operand(ids)
              .numbers(count, limit, exception == null ? 0 : exception)
              .integer(exception == null ? 0 : 1)
              .address(CudaMemory.address(first)));
      long place = number(CudaMemory.address(first));
      if (place != -1) {
        long id = number(CudaMemory.address(ids.buffer()) + ids.byteOffset() + 8 * place);
        throw new IllegalArgumentException(
            "%s: %s %d at %d is outside of 0 to %d"
                .formatted(call.kernel(), what, id, place, limit - 1));
      }
    }
  }

  /** As {@link Execution#pagesInRange}, the lengths on the device too. */
  void pagesInRange(ScaledDotProductAttention call, long lengths) {
    Operand table = call.keys().blockTable();
    if (call.batch() == 0 || launcher.isRecording()) {
      return;
    }
    try (Buffer first = memory.allocate(8)) {
      launcher.stream().fill(CudaMemory.address(first), 0xff, 8);
      launcher.launch(
          "page_range",
          call.batch(),
          1,
          1,
          0,
          launcher
              .arguments()
              .operand(table)
              .number(table.stride(0))
              .address(lengths)
              .numbers(call.key().size(1), call.key().size(0))
              .address(CudaMemory.address(first)));
      long found = number(CudaMemory.address(first));
      if (found != -1) {
        long sequence = found >>> 32;
        long place = found & 0xffffffffL;
        long at = table.byteOffset() + 4 * (sequence * table.stride(0) + place);
        int page = (int) number(CudaMemory.address(table.buffer()) + at, 4);
        throw new IllegalArgumentException(
            "%s: page %d at %d of sequence %d is outside of 0 to %d"
                .formatted(call.kernel(), page, place, sequence, call.key().size(0) - 1));
      }
    }
  }

  private long number(long address) {
    return number(address, 8);
  }

  private long number(long address, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(8, 8);
      memory.read(address, value.asSlice(0, bytes));
      return value.get(ValueLayout.JAVA_LONG, 0);
    }
  }
}
