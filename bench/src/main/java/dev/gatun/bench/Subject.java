package dev.gatun.bench;

/** A library in its process. */
public interface Subject extends AutoCloseable {
  /** What it does in a case. */
  Task task(String name) throws Exception;

  /** The library's name and version. */
  String version();

  @Override
  void close();

  /** One case. */
  interface Task {
    /** One iteration; where there is nothing else to do, what computes the result. */
    default void run() throws Exception {
      result();
    }

    /**
     * The seconds of a call: an iteration's by the number of calls, unless the task knows better.
     */
    default double seconds() throws Exception {
      long start = System.nanoTime();
      run();
      return (System.nanoTime() - start) / 1e9 / calls();
    }

    /** How many calls an iteration makes, each of which is one to be timed. */
    default int calls() {
      return 1;
    }

    /** What it computes, for comparison. */
    float[] result() throws Exception;
  }
}
