package dev.gatun.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A case in several processes of a contender at once, each with all threads: what is left of a
 * machine that is asked for more threads than it has cores.
 */
final class Crowd implements Subject.Task {
  /** The end of a case's name, after that of the case that each process has. */
  private static final String SUFFIX = "-by-4";

  private static final int PROCESSES = 4;

  private final String name;
  private final List<WorkerProcess> processes = new ArrayList<>();
  private final ExecutorService waiters = Executors.newVirtualThreadPerTaskExecutor();

  /** They end with this process. */
  Crowd(Contender contender, int threads, Path model, String name) throws IOException {
    this.name = name.substring(0, name.length() - SUFFIX.length());
    for (int i = 0; i < PROCESSES; i++) {
      processes.add(new WorkerProcess(contender, threads, model));
    }
  }

  /** Whether a case's name asks for it. */
  static boolean isName(String name) {
    return name.endsWith(SUFFIX);
  }

  @Override
  public void run() throws Exception {
    seconds();
  }

  /** By the sum of the processes' rates. */
  @Override
  public double seconds() throws Exception {
    List<Future<double[]>> times = new ArrayList<>();
    for (WorkerProcess process : processes) {
      times.add(waiters.submit(() -> process.run(name, 1)));
    }
    double rate = 0;
    for (Future<double[]> time : times) {
      rate += 1 / time.get()[0];
    }
    return 1 / rate;
  }

  @Override
  public float[] result() throws IOException {
    double[] numbers = processes.getFirst().vectors(name);
    float[] result = new float[numbers.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) numbers[i];
    }
    return result;
  }
}
