package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.gatun.test.devices.ChildJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The goldens on every CPU level and with several numbers of threads, each in a JVM of its own: the
 * level is chosen once a process.
 */
final class GoldenLevelsTest {
  private static final String[] SOME = {"bert-mlm", "deberta-v2-conv", "roberta-qa"};

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"portable, 1", "avx2, 3", "avx512, 3"})
  void some(String level, int threads) throws Exception {
    run(level, threads, SOME.length, SOME);
  }

  @ParameterizedTest
  @CsvSource({"portable, 1", "portable, 3", "avx2, 1", "avx2, 3", "avx512, 1", "avx512, 3"})
  @Tag("full")
  void all(String level, int threads) throws Exception {
    run(level, threads, Goldens.cases().size());
  }

  private void run(String level, int threads, int count, String... goldens) throws Exception {
    List<String> options = new ArrayList<>();
    options.add("-Dgatun.backend=cpu");
    options.add("-Dgatun.cpu.level=" + level);
    options.add("-Dgatun.cpu.threads=" + threads);
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), options, GoldenRuns.class, goldens);
    List<String> lines = outcome.out().lines().toList();
    assertEquals(0, outcome.code(), outcome::err);
    boolean cannot =
        lines.getLast().startsWith(GoldenRuns.CANNOT)
            && lines.getLast().contains("this processor has not all of its instructions");
    assertTrue(!cannot || !level.equals("portable"), outcome::out);
    assumeFalse(cannot, lines.getLast());
    assertEquals("done: " + count, lines.getLast());
    String description = lines.getFirst();
    assertTrue(description.contains(level), description);
    assertTrue(description.matches(".*\\b" + threads + " threads?\\b.*"), description);
  }
}
