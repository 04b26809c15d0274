package dev.gatun.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One of Gatun's kernels in JMH: a case as the suites have them, of sizes by {@code -p}. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public abstract class KernelBenchmark {
  private GatunKernels kernels;
  private Subject.Task task;

  /** The {@link KernelCase}'s name. */
  abstract String caseName();

  /** Makes the case's operands. */
  @Setup
  public void open() {
    kernels = new GatunKernels();
    task = kernels.task(caseName());
  }

  /** One call of the kernel. */
  @Benchmark
  public void run() throws Exception {
    task.run();
  }

  /** Gives the operands' memory back. */
  @TearDown
  public void close() {
    kernels.close();
  }
}
