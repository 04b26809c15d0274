package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Work that is recorded as a list of calls, which one call of the library makes. */
final class CpuReplayTest extends ReplayContract {
  @Override
  Device device() {
    return Device.cpu();
  }

  @Override
  Backend backend() {
    return Devices.host();
  }

  @Test
  void offsets_that_are_written_later_are_checked_by_the_replay() {
    Backend cpu = backend();
    try (Buffer x = of(1f, 2f, 3f);
        Buffer offsets = cpu.memory().allocate(8);
        Buffer y = of(7f)) {
      write(offsets, 0, 2);
      Pool call =
          new Pool(
              Operand.of(x, DType.F32, 3, 1),
              new Offsets(Operand.of(offsets, DType.I32, 2), 3, 3),
              PoolingMode.MAX,
              Operand.of(y, DType.F32, 1, 1));
      try (Replay replay = cpu.capture(() -> cpu.kernels().run(call))) {
        cpu.memory().write(MemorySegment.ofArray(new float[] {7}), y, 0);
        for (int[] bad : new int[][] {{1, 2}, {0, 4}, {0, -1}, {Integer.MIN_VALUE, 3}}) {
          write(offsets, bad);
          String fresh =
              assertThrows(IllegalArgumentException.class, () -> cpu.kernels().run(call))
                  .getMessage();
          assertTrue(fresh.startsWith("pool: offset "), fresh);
          assertEquals(
              fresh, assertThrows(IllegalArgumentException.class, replay::run).getMessage());
          assertArrayEquals(new float[] {7}, read(y), "nothing behind the check is done");
        }
        write(offsets, 0, 3);
        replay.run();
        assertArrayEquals(new float[] {3}, read(y));
        write(offsets, 0, 1);
        replay.run();
        assertArrayEquals(new float[] {1}, read(y));
      }
    }
  }

  @Test
  void a_replay_while_a_thread_records_is_refused() {
    try (Buffer x = of(0, 0);
        Buffer y = of(7, 7);
        Replay replay = backend().capture(() -> softmax(x, y))) {
      // The work is done once before it is recorded: the replay runs then.
      assertEquals(
          "replay: this thread is recording",
          assertThrows(IllegalStateException.class, () -> backend().capture(replay::run))
              .getMessage());
      backend().memory().write(MemorySegment.ofArray(new float[] {1000, 0}), x, 0);
      replay.run();
      assertArrayEquals(new float[] {1, 0}, read(y));
    }
  }

  @Test
  void no_bytes_are_neither_recorded_nor_keep_their_buffer() {
    Memory memory = backend().memory();
    try (Buffer x = of(0, 0);
        Buffer y = of(7, 7)) {
      long before = memory.allocatedBytes();
      Buffer none = of(1, 2);
      Runnable work =
          () -> {
            memory.write(MemorySegment.ofArray(new byte[0]), none, 4);
            memory.fill(none, 8, 0, (byte) 1);
            softmax(x, y);
          };
      try (Replay replay = backend().capture(work)) {
        none.close();
        assertEquals(before, memory.allocatedBytes());
        replay.run();
        assertArrayEquals(new float[] {0.5f, 0.5f}, read(y));
      }
    }
  }

  @Test
  void what_is_adopted_while_recording_is_copied() {
    try (Arena arena = Arena.ofConfined();
        Buffer y = of(7, 7)) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1000, 0);
      Runnable work =
          () -> {
            try (Buffer x = backend().memory().adopt(source)) {
              softmax(x, y);
            }
          };
      try (Replay replay = backend().capture(work)) {
        source.fill((byte) 0);
        backend().memory().fill(y, 0, 8, (byte) 0);
        replay.run();
        assertArrayEquals(new float[] {1, 0}, read(y));
      }
    }
  }

  private void write(Buffer offsets, int... values) {
    backend().memory().write(MemorySegment.ofArray(values), offsets, 0);
  }
}
