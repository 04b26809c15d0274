package dev.gatun.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.bindings.loader.LinkerCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkerCacheTest {
  @Test
  void namesWhatLdconfigLists() throws Exception {
    Path ldconfig =
        List.of(Path.of("/sbin/ldconfig"), Path.of("/usr/sbin/ldconfig")).stream()
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    assumeTrue(ldconfig != null && Files.exists(LinkerCache.FILE), "there is no ldconfig");
    Process process = new ProcessBuilder(ldconfig.toString(), "-p").start();
    String listed = new String(process.getInputStream().readAllBytes());
    List<String> expected =
        listed
            .lines()
            .filter(line -> line.strip().startsWith("libc.so.6 "))
            .map(line -> line.substring(line.indexOf("=> ") + 3))
            .toList();
    assumeTrue(!expected.isEmpty(), listed);
    assertEquals(
        expected,
        LinkerCache.find(LinkerCache.FILE, "libc.so.6").stream().map(Path::toString).toList());
  }

  @Test
  void namesNothingWhereThereIsNoCacheOrAnotherFormat(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("cache");
    assertEquals(List.of(), LinkerCache.find(file, "libc.so.6"));
    Files.writeString(file, "no cache");
    assertEquals(List.of(), LinkerCache.find(file, "libc.so.6"));
    // Cut off within its entries.
    byte[] cut = new byte[52];
    System.arraycopy("glibc-ld.so.cache1.1".getBytes(), 0, cut, 0, 20);
    cut[20] = 100;
    Files.write(file, cut);
    assertEquals(List.of(), LinkerCache.find(file, "libc.so.6"));
  }
}
