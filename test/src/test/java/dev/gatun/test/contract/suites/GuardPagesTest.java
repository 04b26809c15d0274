package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.programs.GuardPageRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** No kernel touches a byte before or behind its operands. */
@EnabledOnOs(OS.LINUX)
final class GuardPagesTest {
  @TempDir Path folder;

  private record Outcome(int status, List<String> lines) {}

  @Test
  void no_kernel_touches_a_page_beside_its_operands() throws Exception {
    Outcome outcome = run("25");
    String last = outcome.lines.isEmpty() ? "" : outcome.lines.getLast();
    assertEquals(0, outcome.status, () -> String.join("\n", tail(outcome.lines)));
    assertTrue(last.startsWith("done: "), last);
  }

  @Test
  void a_read_behind_the_end_is_found() throws Exception {
    Outcome outcome = run("1", "planted");
    assertNotEquals(0, outcome.status);
    assertTrue(outcome.lines.contains("planted: reading behind the end"));
  }

  private Outcome run(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash.log"),
                "-D" + Cases.SEED + "=" + Long.getLong(Cases.SEED, 1),
                "-cp",
                System.getProperty("java.class.path"),
                GuardPageRuns.class.getName()));
    command.addAll(List.of(arguments));
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status = process.waitFor();
    return new Outcome(status, Files.readAllLines(output));
  }

  private static List<String> tail(List<String> lines) {
    return lines.subList(Math.max(0, lines.size() - 40), lines.size());
  }
}
