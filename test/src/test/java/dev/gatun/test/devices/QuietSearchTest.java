package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.cli.Gatun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A search with the bundled model says what it did and nothing else: no library adds warnings. */
final class QuietSearchTest {
  @TempDir private Path folder;

  @Test
  void standard_error_has_two_lines() throws Exception {
    Path text = Files.writeString(folder.resolve("text.txt"), "Locks lift ships.");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of("-Dgatun.cache=" + folder, "-Dgatun.terminals=none"),
            Gatun.class,
            "search",
            "ships",
            text.toString());
    assertEquals(0, outcome.code(), outcome.err());
    List<String> lines = outcome.err().lines().toList();
    assertEquals(2, lines.size(), outcome.err());
    assertEquals("1 text, 1 passage", lines.get(0));
    assertTrue(
        lines.get(1).matches("backend: cpu \\((portable|avx2|avx512), \\d+ threads?\\)"),
        outcome.err());
  }
}
