package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The native CPU kernels. One library serves the process, so its settings are the process's. */
public final class CpuBackend implements Backend {
  /** The most threads that a call can use. */
  public static final int MAX_THREADS = 1024;

  private final CpuMemory memory = new CpuMemory();
  private final CpuKernels kernels = new CpuKernels(memory);

  CpuBackend() {}

  /** The levels that this processor runs, the best one last. */
  public static List<CpuLevel> levels() {
    return Arrays.asList(CpuLevel.values()).subList(0, CpuLibrary.bestLevel() + 1);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "%s, %d thread%s".formatted(level().id(), threads(), threads() == 1 ? "" : "s");
  }

  @Override
  public List<String> details() {
    return List.of(levelReason(), "library " + CpuLibrary.load().file());
  }

  private String levelReason() {
    List<CpuLevel> levels = levels();
    String name = "level " + level().id();
    if (level() != levels.getLast()) {
      return name + ": forced; this processor runs " + levels.getLast().id();
    }
    if (levels.size() == CpuLevel.values().length) {
      return name + ": the best there is";
    }
    return name + ": this processor lacks instructions of " + CpuLevel.values()[levels.size()].id();
  }

  @Override
  public Map<String, String> versions() {
    return Map.of("native library ABI", Integer.toString(CpuLibrary.abi()));
  }

  /** The level in use. */
  public CpuLevel level() {
    return CpuLevel.values()[CpuLibrary.level()];
  }

  /**
   * Takes another level, for tests and comparisons; not while a kernel runs.
   *
   * @throws IllegalArgumentException when this processor does not run it
   */
  public void setLevel(CpuLevel level) {
    if (!levels().contains(level)) {
      throw new IllegalArgumentException(
          "level %s: this processor runs %s".formatted(level.id(), levels()));
    }
    CpuLibrary.setLevel(level.ordinal());
  }

  /** Threads that a call may use, the caller's included. */
  public int threads() {
    return CpuLibrary.threads();
  }

  /**
   * Sets the number of threads, 1 to {@value #MAX_THREADS}; not while a kernel runs. Results do not
   * depend on it.
   */
  public void setThreads(int threads) {
    if (threads < 1 || threads > MAX_THREADS) {
      throw new IllegalArgumentException(
          "%d threads: expected 1 to %d".formatted(threads, MAX_THREADS));
    }
    CpuLibrary.setThreads(threads);
  }

  /** The processor features that the kernels use, as names. */
  public static List<String> features() {
    return CpuLibrary.features();
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }
}
