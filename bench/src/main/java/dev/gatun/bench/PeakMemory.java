package dev.gatun.bench;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The most memory that a contender's process has while it does a case, in place of a time: bytes
 * that are resident, the JVM's own among them.
 */
final class PeakMemory implements Subject.Task {
  /** The end of a case's name, after that of the case that the process does. */
  private static final String SUFFIX = "/memory";

  private static final int ITERATIONS = 3;

  private final Contender contender;
  private final int threads;
  private final Path model;
  private final String name;
  private double bytes;

  PeakMemory(Contender contender, int threads, Path model, String name) {
    this.contender = contender;
    this.threads = threads;
    this.model = model;
    this.name = caseOf(name);
  }

  /** Whether a case's name asks for it. */
  static boolean isName(String name) {
    return name.endsWith(SUFFIX);
  }

  private static String caseOf(String name) {
    return name.substring(0, name.length() - SUFFIX.length());
  }

  @Override
  public void run() throws IOException {
    seconds();
  }

  /** Bytes, which are measured once. */
  @Override
  public double seconds() throws IOException {
    if (bytes == 0) {
      try (WorkerProcess process = new WorkerProcess(contender, threads, model)) {
        process.run(name, ITERATIONS);
        bytes = process.peakBytes();
      }
    }
    return bytes;
  }

  @Override
  public float[] result() {
    return new float[] {1}; // what it computes is compared in the case itself
  }

  static String shown(double bytes) {
    return "%.0f MB".formatted(bytes / 1e6);
  }
}
