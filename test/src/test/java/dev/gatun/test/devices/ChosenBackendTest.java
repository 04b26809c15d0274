package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What runs where the fast backend cannot, or not as it was asked to: never the slow one unsaid.
 */
final class ChosenBackendTest {
  @TempDir Path folder;

  private ChildJvm.Outcome choose(String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of(options));
    return ChildJvm.run(folder, Map.of(), all, ChooseBackend.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-Dgatun.cpu.level=avx9 | -Dgatun.cpu.level=avx9: expected one of portable",
        "-Dgatun.cpu.threads=0 | -Dgatun.cpu.threads=0: expected a number from 1 to",
        "-Dgatun.cpu.threads=two | -Dgatun.cpu.threads=two: expected a number from 1 to",
        "-Dgatun.cpu.library=/nowhere.so | the native library cannot be loaded:"
            + " -Dgatun.cpu.library",
        "-Dgatun.cache=/dev/null | the native library cannot be loaded: -Dgatun.cache=/dev/null"
      })
  void what_was_asked_for_and_cannot_be_is_an_error(String option, String message)
      throws Exception {
    ChildJvm.Outcome outcome = choose(option);
    assertNotEquals(0, outcome.code(), outcome.out());
    assertEquals("", outcome.out());
    assertTrue(outcome.err().contains("the cpu backend: " + message), outcome.err());
  }

  @Test
  void every_class_loader_has_the_fast_one() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), List.of(), BackendOfLoaders.class);
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals("", outcome.err());
    List<String> labels = outcome.out().lines().toList();
    assertEquals(BackendOfLoaders.LOADERS, labels.size());
    for (String label : labels) {
      assertTrue(label.startsWith("cpu"), label);
    }
  }

  @Test
  void a_library_that_does_not_load_is_told_in_one_line() throws Exception {
    // A processor that no library is built for.
    ChildJvm.Outcome outcome = choose("-Dos.arch=pdp11");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().startsWith("reference"), outcome.out());
    assertEquals(1, outcome.err().lines().count(), outcome.err());
    assertTrue(
        outcome.err().startsWith("gatun: the cpu backend cannot run: the native library"),
        outcome.err());
    assertTrue(outcome.err().contains("reference runs in its place"), outcome.err());
    ChildJvm.Outcome asked = choose("-Dos.arch=pdp11", "-Dgatun.backend=reference");
    assertEquals(0, asked.code(), asked.err());
    assertEquals("", asked.err());
  }
}
