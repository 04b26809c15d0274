package dev.gatun.text;

import dev.gatun.kernels.api.device.ThreadStack;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The stack of a thread that calls an engine whose native code ends the process at a stack's end.
 */
public final class CallerStack {
  private static final List<ThreadStack> STACKS =
      ServiceLoader.load(ThreadStack.class, CallerStack.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .toList();

  private CallerStack() {}

  /**
   * {@return whether so much of the calling thread's stack is left; false where nobody can tell}
   *
   * @param bytes that the call needs, those included that the JVM keeps at a stack's end
   */
  public static boolean hasRoom(long bytes) {
    for (ThreadStack stack : STACKS) {
      if (stack.bytesLeft() >= bytes) {
        return true;
      }
    }
    return false;
  }
}
