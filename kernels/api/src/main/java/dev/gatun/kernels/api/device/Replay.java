package dev.gatun.kernels.api.device;

/** Work that {@link Backend#capture} has recorded. */
public interface Replay extends AutoCloseable {
  /**
   * Submits all of it, as one thing. It reads and writes the memory that it was recorded with: what
   * its inputs hold by now, and in the outputs the results of the last run.
   *
   * @throws IllegalStateException when it is closed
   */
  void run();

  /** Gives back what was recorded and the memory that it keeps; a second call does nothing. */
  @Override
  void close();
}
