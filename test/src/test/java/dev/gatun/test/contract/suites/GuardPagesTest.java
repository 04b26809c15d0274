package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.programs.GuardPageRuns;
import dev.gatun.test.devices.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** No kernel touches a byte before or behind its operands. */
@EnabledOnOs(OS.LINUX)
final class GuardPagesTest {
  @TempDir Path folder;

  @Test
  void no_kernel_touches_a_page_beside_its_operands() throws Exception {
    ChildJvm.Outcome outcome = run("25");
    List<String> lines = outcome.out().lines().toList();
    assertEquals(0, outcome.code(), () -> tail(lines));
    assertTrue(lines.getLast().startsWith("done: "), () -> tail(lines));
  }

  @Test
  void a_read_behind_the_end_is_found() throws Exception {
    ChildJvm.Outcome outcome = run("1", "planted");
    assertNotEquals(0, outcome.code());
    assertTrue(outcome.out().lines().toList().contains("planted: reading behind the end"));
  }

  private ChildJvm.Outcome run(String... arguments) throws IOException, InterruptedException {
    List<String> options =
        List.of(
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=" + folder.resolve("crash.log"),
            "-D" + Cases.SEED + "=" + Long.getLong(Cases.SEED, 1));
    return ChildJvm.run(folder, Map.of(), options, GuardPageRuns.class, arguments);
  }

  private static String tail(List<String> lines) {
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }
}
