package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Copies to a device that is behind: more of them than there are pinned buffers. */
final class StagingTest {
  private Backend cuda;

  @BeforeEach
  void open() {
    assumeTrue(Emulator.isEmulated(), "streams are lazy by order");
    cuda = Emulator.open();
    Emulator.set(Policy.ROUND_ROBIN, 1, false, true);
  }

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
  }

  @Test
  void a_buffer_that_is_being_copied_is_not_written() {
    int writes = 200;
    try (Buffer target = cuda.memory().allocate(8L * writes)) {
      for (int i = 0; i < writes; i++) {
        cuda.memory().write(MemorySegment.ofArray(new long[] {i + 1}), target, 8L * i);
      }
      long[] found = new long[writes];
      cuda.memory().read(target, 0, MemorySegment.ofArray(found));
      for (int i = 0; i < writes; i++) {
        assertEquals(i + 1, found[i]);
      }
    }
  }

  @Test
  void parts_of_one_array_do_not_overwrite_each_other() {
    // Nine buffers of 4 MiB and a part of a tenth, where there are eight.
    long[] values = new long[(9 << 19) + 1000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    try (Buffer target = cuda.memory().allocate(8L * values.length)) {
      cuda.memory().write(MemorySegment.ofArray(values), target, 0);
      long[] found = new long[values.length];
      cuda.memory().read(target, 0, MemorySegment.ofArray(found));
      assertEquals(
          -1, MemorySegment.ofArray(values).mismatch(MemorySegment.ofArray(found)), "first byte");
    }
  }
}
