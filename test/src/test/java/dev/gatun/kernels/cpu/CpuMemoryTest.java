package dev.gatun.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Blocks that are kept, and parts of blocks that are set. */
final class CpuMemoryTest {
  private static final long BLOCK = 128L << 20;
  private static final int MANY = 1 << 20;

  private final CpuMemory memory = new CpuMemory();

  @BeforeAll
  static void loadLibrary() {
    assumeTrue(Devices.host() instanceof CpuBackend, "another backend");
  }

  /** How many of three blocks hold what earlier ones did: one that the system gives is zeros. */
  private int known() {
    List<Buffer> blocks = new ArrayList<>();
    int known = 0;
    for (int i = 0; i < 3; i++) {
      Buffer block = memory.allocate(BLOCK);
      blocks.add(block);
      known += CpuMemory.segment(block).get(ValueLayout.JAVA_LONG, 0) == 77 ? 1 : 0;
      CpuMemory.segment(block).set(ValueLayout.JAVA_LONG, 0, 77);
    }
    blocks.forEach(Buffer::close);
    return known;
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void blocks_are_kept_until_the_last_work_that_repeats_ends() {
    Memory.Repeated first = memory.repeat();
    assertEquals(0, known());
    assertEquals(3, known());
    Memory.Repeated second = memory.repeat();
    first.close();
    first.close();
    assertEquals(3, known(), "the second one goes on");
    second.close();
    assertEquals(2, known(), "256 MiB stay");
  }

  @Test
  void parts_of_any_length_and_place_are_set() {
    byte[] bytes = new byte[MANY + 32];
    try (Buffer buffer = memory.allocate(bytes.length)) {
      for (long[] part :
          new long[][] {{8, MANY}, {1, MANY}, {8, MANY + 1}, {8, MANY - 8}, {0, 0}, {3, 5}}) {
        for (byte value : new byte[] {0, 3}) {
          memory.fill(buffer, 0, bytes.length, (byte) 9);
          memory.fill(buffer, part[0], part[1], value);
          memory.read(buffer, 0, MemorySegment.ofArray(bytes));
          for (int i = 0; i < bytes.length; i++) {
            boolean inside = i >= part[0] && i < part[0] + part[1];
            if (bytes[i] != (inside ? value : 9)) {
              assertEquals(inside ? value : 9, bytes[i], "byte " + i + " of " + part[1]);
            }
          }
        }
      }
    }
  }
}
