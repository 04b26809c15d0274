package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.gatun.testing.ChildJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    run(level, threads, GoldenTest.cases().size());
  }

  private void run(String level, int threads, int count, String... goldens) throws Exception {
    List<String> options = new ArrayList<>();
    options.add("-Dgatun.backend=cpu");
    options.add("-Dgatun.cpu.level=" + level);
    options.add("-Dgatun.cpu.threads=" + threads);
    ChildJvm.Outcome outcome = ChildJvm.run(folder, options, GoldenRuns.class, goldens);
    assertEquals(0, outcome.status(), outcome::tail);
    boolean cannot =
        outcome.last().startsWith(GoldenRuns.CANNOT)
            && outcome.last().contains("this processor has not all of its instructions");
    assertTrue(!cannot || !level.equals("portable"), outcome::tail);
    assumeFalse(cannot, outcome.last());
    assertEquals("done: " + count, outcome.last());
    String description = outcome.lines().getFirst();
    assertTrue(description.contains(level), description);
    assertTrue(description.matches(".*\\b" + threads + " threads?\\b.*"), description);
  }
}
