package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.gatun.test.devices.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The gradients of all goldens on every CPU level, and by the reference backend. */
@Tag("full")
final class GradientLevelsTest {
  /** Of all models; {@code seed-mha} has others. */
  private static final int TENSORS = 839;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"portable", "avx2", "avx512"})
  void on_a_level(String level) throws Exception {
    run(level, List.of("-Dgatun.backend=cpu", "-Dgatun.cpu.level=" + level));
  }

  @ParameterizedTest
  @ValueSource(strings = "reference")
  void by_the_reference(String backend) throws Exception {
    run("plain Java", List.of("-Dgatun.backend=" + backend));
  }

  private void run(String named, List<String> options) throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), options, GradientRuns.class);
    List<String> lines = outcome.out().lines().toList();
    assertEquals(0, outcome.code(), outcome::err);
    boolean cannot =
        lines.getLast().startsWith(GoldenRuns.CANNOT)
            && lines.getLast().contains("this processor has not all of its instructions");
    assertTrue(!cannot || !named.equals("portable"), outcome::out);
    assumeFalse(cannot, lines.getLast());
    assertEquals("done: " + TENSORS, lines.getLast());
    assertTrue(lines.getFirst().contains(named), lines.getFirst());
  }
}
