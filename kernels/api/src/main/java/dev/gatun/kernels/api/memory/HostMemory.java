package dev.gatun.kernels.api.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** The memory of the machine, or of the container, that the process runs in. */
public final class HostMemory {
  private HostMemory() {}

  /**
   * {@return the bytes that can be had without taking them from other processes, what the system
   * caches of files counted in; {@link Long#MAX_VALUE} where that is not known, which is outside of
   * Linux}
   */
  public static long freeBytes() {
    return freeBytes(Path.of("/proc/meminfo"), Path.of("/sys/fs/cgroup"));
  }

  /** The same by the kernel's files. A container's limit holds where it is the lower one. */
  static long freeBytes(Path meminfo, Path group) {
    OptionalLong machine = field(meminfo, "MemAvailable:");
    long free = machine.isPresent() ? machine.getAsLong() * 1024 : Long.MAX_VALUE;
    OptionalLong limit = field(group.resolve("memory.max"), "");
    OptionalLong used = field(group.resolve("memory.current"), "");
    if (limit.isEmpty() || used.isEmpty()) {
      return free;
    }
    long cached = field(group.resolve("memory.stat"), "inactive_file ").orElse(0);
    return Math.clamp(limit.getAsLong() - used.getAsLong() + cached, 0, free);
  }

  /** The number behind a name at the beginning of a line; none where there is no such line. */
  private static OptionalLong field(Path file, String name) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      return OptionalLong.empty();
    }
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()).strip().split(" ")[0])
        // A group without a limit says "max".
        .filter(number -> number.matches("\\d{1,18}"))
        .mapToLong(Long::parseLong)
        .findFirst();
  }
}
