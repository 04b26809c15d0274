package dev.gatun.test.gradients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Tape;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What ops ask of tapes where there is none. */
final class NoTapeTest {
  @Test
  void nothing_is_allocated() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Tensor x = Tensor.of(Device.cpu(), new float[] {1}, 1)) {
      int found = asked(x, 20_000);
      long start = threads.getCurrentThreadAllocatedBytes();
      found += asked(x, 100_000);
      long allocated = threads.getCurrentThreadAllocatedBytes() - start;
      assertEquals(0, found);
      assertTrue(allocated < 1000, allocated + " bytes in 100,000 calls");
    }
  }

  private static int asked(Tensor x, int times) {
    int found = 0;
    for (int i = 0; i < times; i++) {
      found += Tape.recording() == null ? 0 : 1;
      Tape.refuse("op", x);
      Tape.refuseInPlace("op", x, x);
    }
    return found;
  }
}
