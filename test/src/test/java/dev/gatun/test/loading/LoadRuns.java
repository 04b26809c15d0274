package dev.gatun.test.loading;

import com.sun.management.OperatingSystemMXBean;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A program: loads a directory and says what that takes, in seconds on the clock and of all
 * processors, and in bytes.
 */
final class LoadRuns {
  private LoadRuns() {}

  /**
   * @param args the directory, BF16 or another dtype or a block format, threads
   */
  public static void main(String[] args) throws Exception {
    Storage storage =
        args[1].matches("B?F[0-9]+")
            ? Storage.of(DType.valueOf(args[1]))
            : Storage.of(BlockFormat.of(args[1]));
    ((CpuBackend) Devices.host()).setThreads(Integer.parseInt(args[2]));
    long before = anonymous();
    AtomicLong most = new AtomicLong(before);
    Thread watch =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  while (!Thread.interrupted()) {
                    most.accumulateAndGet(anonymous(), Math::max);
                    java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
                  }
                });
    long busy = processorTime();
    long start = System.nanoTime();
    try (EncoderModel model =
        AutoModel.load(Path.of(args[0]), Device.cpu(), storage, Compute.EXACT)) {
      double seconds = (System.nanoTime() - start) / 1e9;
      double processor = (processorTime() - busy) / 1e9;
      watch.interrupt();
      watch.join();
      most.accumulateAndGet(anonymous(), Math::max);
      System.out.printf(
          "%s seconds %.3f anonymous %d held %d processor %.3f%n",
          model.getClass().getSimpleName(),
          seconds,
          most.get() - before,
          Device.cpu().memory().allocatedBytes(),
          processor);
    }
  }

  /** Nanoseconds that all threads of this process ran. */
  private static long processorTime() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  /** Bytes of this process that are of no file. */
  private static long anonymous() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
              .filter(line -> line.startsWith("RssAnon:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .sum()
          * 1024;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
