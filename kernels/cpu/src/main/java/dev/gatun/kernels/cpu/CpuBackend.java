package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Memory;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The native CPU kernels. One library serves the process, so its settings are the process's. */
public final class CpuBackend implements Backend {
  /** The most threads that a call can use. */
  public static final int MAX_THREADS = 1024;

  // Of a core's share of the last cache on common servers.
  private static final long ACTIVATION_BYTES = 6L << 20;

  private final CpuMemory memory = new CpuMemory();
  private final CpuKernels kernels = new CpuKernels(memory);

  CpuBackend() {}

  /** The levels that this processor runs, the best one last. */
  public static List<CpuLevel> levels() {
    CpuLevel best = CpuLevel.values()[CpuLibrary.bestLevel()];
    List<CpuLevel> levels = new ArrayList<>();
    for (CpuLevel level : CpuLevel.values()) {
      if ((CpuLibrary.levels() & 1 << level.ordinal()) != 0 && level != best) {
        levels.add(level);
      }
    }
    levels.add(best);
    return List.copyOf(levels);
  }

  /** The instruction sets that a level is compiled for; none of a level of another machine. */
  public static Optional<Set<CpuFeature>> needs(CpuLevel level) {
    int bits = CpuLibrary.levelNeeds(level.ordinal());
    return bits < 0 ? Optional.empty() : Optional.of(CpuFeature.of(bits));
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    // Every start makes it, and a process's first format would load the classes of its locale.
    int threads = threads();
    return new StringBuilder(level().id())
        .append(", ")
        .append(threads)
        .append(threads == 1 ? " thread" : " threads")
        .toString();
  }

  @Override
  public List<String> details() {
    return List.of(levelReason(), "library " + CpuLibrary.load().file());
  }

  private String levelReason() {
    CpuLevel best = levels().getLast();
    String name = "level " + level().id();
    if (level() != best) {
      return name + ": forced; this processor runs " + best.id();
    }
    List<String> lacks = new ArrayList<>();
    for (CpuLevel level : CpuLevel.values()) {
      Set<CpuFeature> missing = EnumSet.noneOf(CpuFeature.class);
      needs(level).ifPresent(missing::addAll);
      missing.removeAll(features());
      if (!missing.isEmpty()) {
        lacks.add(
            "%s needs %s"
                .formatted(
                    level.id(),
                    missing.stream().map(CpuFeature::id).collect(Collectors.joining(", "))));
      }
    }
    return lacks.isEmpty()
        ? name + ": the best there is"
        : name + ": this processor lacks instructions; " + String.join("; ", lacks);
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

  /** The instruction sets that kernels may use: those of the processor, but for any left out. */
  public static Set<CpuFeature> features() {
    return CpuFeature.of(CpuLibrary.features());
  }

  /**
   * Leaves an instruction set out, as if the processor lacked it, for tests and comparisons; not
   * while a kernel runs. Levels stay what they are: this concerns what is used inside of them.
   */
  public void leaveOut(CpuFeature feature) {
    CpuLibrary.setFeatures(CpuLibrary.features() & ~feature.bit());
  }

  /** Allows all instruction sets of the processor again. */
  public void allowAll() {
    CpuLibrary.setFeatures(-1);
  }

  @Override
  public Replay capture(Runnable work) {
    if (CpuReplay.mine() != null) {
      throw new IllegalStateException("capture: this thread is recording already");
    }
    work.run();
    return CpuReplay.of(memory, work);
  }

  @Override
  public long activationBytes() {
    return ACTIVATION_BYTES;
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
