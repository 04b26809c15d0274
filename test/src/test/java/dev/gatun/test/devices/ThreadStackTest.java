package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.device.ThreadStack;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes that are left of a stack, against the size that the thread was asked for with. */
final class ThreadStackTest {
  /** What the JVM and the system have in use where a thread begins, and what they add to it. */
  private static final long SLACK = 128 << 10;

  private static final long LARGEST = 200 << 20;

  private static final ThreadStack STACK = ServiceLoader.load(ThreadStack.class).iterator().next();

  /** A stack of the size asked for, or one that a thread before it has left, which is larger. */
  @ParameterizedTest
  @ValueSource(longs = {512 << 10, 1 << 20, 8 << 20})
  void a_new_thread_has_at_least_what_it_was_made_with(long bytes) throws Exception {
    assertTrue(ofNewThread(bytes) >= bytes - SLACK, () -> "of " + bytes);
  }

  @Test
  void a_thread_with_a_larger_stack_than_any_has_no_more() throws Exception {
    assertEquals(LARGEST, ofNewThread(LARGEST), SLACK);
  }

  private static long ofNewThread(long bytes) throws Exception {
    var left = new FutureTask<>(STACK::bytesLeft);
    Thread.ofPlatform().stackSize(bytes).start(left);
    return left.get();
  }

  @Test
  void frames_take_from_what_is_left_and_give_it_back() throws Exception {
    var left =
        new FutureTask<>(
            () -> List.of(STACK.bytesLeft(), below(1000), below(2000), STACK.bytesLeft()));
    Thread.ofPlatform().stackSize(8 << 20).start(left);
    List<Long> found = left.get();
    assertTrue(found.get(0) - found.get(1) >= 1000 * 16, found::toString);
    assertTrue(found.get(1) - found.get(2) >= 1000 * 16, found::toString);
    assertEquals(found.get(0), found.get(3), 4096);
  }

  @Test
  void a_virtual_thread_has_its_carriers() throws Exception {
    var left = new FutureTask<>(STACK::bytesLeft);
    Thread.ofVirtual().start(left).join();
    assertTrue(left.get() > 0, () -> left.resultNow() + " bytes");
  }

  private static long below(int frames) {
    return frames == 0 ? STACK.bytesLeft() : Math.min(Long.MAX_VALUE - frames, below(frames - 1));
  }
}
