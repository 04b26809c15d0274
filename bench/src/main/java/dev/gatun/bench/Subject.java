package dev.gatun.bench;

/** A library in its process. */
interface Subject extends AutoCloseable {
  /** What it does in a case. */
  Task task(String name) throws Exception;

  /** The library's name and version. */
  String version();

  @Override
  void close();

  /** One case. */
  interface Task {
    /** One iteration. */
    void run() throws Exception;

    /** How many calls an iteration makes, each of which is one to be timed. */
    default int calls() {
      return 1;
    }

    /** What it computes, for comparison. */
    float[] result() throws Exception;
  }
}
