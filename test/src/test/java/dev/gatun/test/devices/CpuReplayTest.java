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
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import java.lang.foreign.MemorySegment;
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

  private void write(Buffer offsets, int... values) {
    backend().memory().write(MemorySegment.ofArray(values), offsets, 0);
  }
}
