package dev.gatun.kernels.api.device;

/**
 * Tells how much of a thread's stack is left, which Java cannot: native code that ends the process
 * where a stack ends may run on a thread that has enough. Found by {@link java.util.ServiceLoader}.
 */
public interface ThreadStack {
  /**
   * {@return the bytes of the calling thread's stack that are not in use yet, those included that
   * the JVM keeps for itself; 0 where they cannot be told}
   */
  long bytesLeft();
}
