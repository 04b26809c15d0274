package dev.gatun.kernels.api.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Values that calls look at before they run. */
final class ExecutionTest {
  private final Buffer buffer = Devices.host().memory().allocate(4);
  private final KernelCall call =
      new Softmax(Operand.of(buffer, DType.F32, 1, 1), false, Operand.of(buffer, DType.F32, 1, 1));

  @AfterEach
  void close() {
    buffer.close();
  }

  private static String refusal(Runnable check) {
    return assertThrows(IllegalArgumentException.class, check::run).getMessage();
  }

  private void distinct(Long exception, long... ids) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, ids);
      Execution.distinct(call, "slot", values, ids.length, exception);
    }
  }

  @Test
  void sequences_have_all_tokens() {
    Execution.allTokens(call, new int[] {0, 2, 3}, 3);
    assertEquals(
        "softmax: offset 3 at 2, expected 4, for every token is of a sequence",
        refusal(() -> Execution.allTokens(call, new int[] {0, 2, 3}, 4)));
  }

  @Test
  void indices_are_distinct_but_for_the_exception() {
    distinct(null, 3, 1, 2);
    distinct(-1L, 3, -1, 2, -1);
    String message = "softmax: slot 3 at 2 is also at 0, expected distinct ones";
    assertEquals(message, refusal(() -> distinct(null, 3, 1, 3)));
    assertEquals(message, refusal(() -> distinct(-1L, 3, -1, 3, -1)));
  }

  @Test
  void more_indices_than_an_array_has_are_refused() {
    assertEquals(
        "softmax: 2147483640 times a slot, expected fewer than 2^31 - 8",
        refusal(() -> Execution.distinct(call, "slot", MemorySegment.NULL, (1L << 31) - 8, null)));
  }
}
