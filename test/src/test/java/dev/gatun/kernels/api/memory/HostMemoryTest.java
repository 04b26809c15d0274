package dev.gatun.kernels.api.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HostMemoryTest {
  @TempDir Path directory;

  private Path meminfo;

  @BeforeEach
  void machine() throws IOException {
    meminfo = directory.resolve("meminfo");
    Files.writeString(meminfo, "MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:    4000 kB\n");
  }

  private long free() {
    return HostMemory.freeBytes(meminfo, directory);
  }

  private void group(String max, String current, String stat) throws IOException {
    Files.writeString(directory.resolve("memory.max"), max + "\n");
    Files.writeString(directory.resolve("memory.current"), current + "\n");
    Files.writeString(directory.resolve("memory.stat"), stat + "\n");
  }

  @Test
  void a_container_has_what_its_limit_leaves() throws IOException {
    group("3000000", "1000000", "anon 5\ninactive_file 200\nactive_file 900");
    assertEquals(2_000_200, free());
    group("3000000", "3500000", "inactive_file 200");
    assertEquals(0, free());
  }

  @Test
  void a_machine_has_what_is_available() throws IOException {
    assertEquals(4_096_000, free());
    group("max", "1000000", "inactive_file 200");
    assertEquals(4_096_000, free());
    group("9000000000", "1000000", "inactive_file 200");
    assertEquals(4_096_000, free());
  }

  @Test
  void a_limit_counts_where_its_use_is_told() throws IOException {
    Files.writeString(directory.resolve("memory.max"), "3000000\n");
    assertEquals(4_096_000, free());
    Files.writeString(directory.resolve("memory.current"), "1000000\n");
    assertEquals(2_000_000, free());
  }

  @Test
  void a_system_that_does_not_say_has_all() throws IOException {
    Files.delete(meminfo);
    assertEquals(Long.MAX_VALUE, free());
    assertTrue(HostMemory.freeBytes() > 0);
  }
}
