package dev.gatun.test.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.test.devices.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The emulator names every mistake of {@code emulator/planted}, under every order of threads. */
final class PlantedMistakesTest {
  @TempDir private Path folder;

  @Test
  void every_mistake_is_named() throws Exception {
    Path build = Path.of("target", "planted").toAbsolutePath();
    List<String> make = List.of("bash", "emulator/build.sh", build.toString(), "planted");
    ChildJvm.Outcome built = ChildJvm.run(folder, Map.of(), make);
    assertEquals(0, built.code(), built.err());
    List<String> program = List.of(build.resolve("planted_test").toString());
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), program);
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
  }
}
