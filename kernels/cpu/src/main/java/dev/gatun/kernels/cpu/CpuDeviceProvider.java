package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendUnavailableException;
import dev.gatun.kernels.api.device.DeviceProvider;
import dev.gatun.kernels.api.device.Devices;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Offers the native CPU kernels. {@code -Dgatun.cpu.level=portable|avx2|avx512|neon} forces a
 * level, {@code -Dgatun.cpu.threads=N} the number of threads. Where they cannot be had nothing else
 * runs in their place.
 */
public final class CpuDeviceProvider implements DeviceProvider {
  /** The property that forces a level. */
  public static final String LEVEL_PROPERTY = "gatun.cpu.level";

  /** The property that sets the number of threads. */
  public static final String THREADS_PROPERTY = "gatun.cpu.threads";

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String kind() {
    return Devices.CPU;
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public Backend open(int ordinal) throws BackendUnavailableException {
    NativeLoader.Result result = CpuLibrary.load();
    if (!result.loaded()) {
      String message = "the native library cannot be loaded: " + result.report();
      if (result.attempts().stream().anyMatch(NativeLoader.Attempt::askedFor)) {
        throw new IllegalArgumentException(message);
      }
      throw new BackendUnavailableException(message);
    }
    CpuBackend backend = new CpuBackend();
    String level = System.getProperty(LEVEL_PROPERTY);
    if (level != null) {
      backend.setLevel(parseLevel(level));
    }
    String threads = System.getProperty(THREADS_PROPERTY);
    if (threads != null) {
      backend.setThreads(parseThreads(threads));
    }
    return backend;
  }

  private static CpuLevel parseLevel(String text) {
    for (CpuLevel level : CpuLevel.values()) {
      if (level.id().equals(text)) {
        if (CpuBackend.needs(level).isEmpty()) {
          throw new IllegalArgumentException(
              "-D%s=%s: that is a level of another machine; this processor runs %s"
                  .formatted(LEVEL_PROPERTY, text, ids(CpuBackend.levels())));
        }
        if (!CpuBackend.levels().contains(level)) {
          throw new IllegalArgumentException(
              "-D%s=%s: this processor has not all of its instructions; it runs %s"
                  .formatted(LEVEL_PROPERTY, text, ids(CpuBackend.levels())));
        }
        return level;
      }
    }
    throw new IllegalArgumentException(
        "-D%s=%s: expected one of %s"
            .formatted(LEVEL_PROPERTY, text, ids(Arrays.asList(CpuLevel.values()))));
  }

  private static String ids(java.util.List<CpuLevel> levels) {
    return levels.stream().map(CpuLevel::id).collect(Collectors.joining(", "));
  }

  private static int parseThreads(String text) {
    try {
      int threads = Integer.parseInt(text);
      if (threads >= 1 && threads <= CpuBackend.MAX_THREADS) {
        return threads;
      }
    } catch (NumberFormatException e) {
      // Reported below with the range.
    }
    throw new IllegalArgumentException(
        "-D%s=%s: expected a number from 1 to %d"
            .formatted(THREADS_PROPERTY, text, CpuBackend.MAX_THREADS));
  }
}
