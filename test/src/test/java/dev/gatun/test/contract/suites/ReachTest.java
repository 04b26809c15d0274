package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.contract.programs.ReachRuns;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.test.emulator.Emulator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether a run of cases on a device proves anything of each kernel that it is made of. */
final class ReachTest {
  /** The cases of a simple kernel in a device's run. */
  private static final String EACH = "300";

  private static ChildJvm.Outcome plan(Path folder, String... arguments) throws Exception {
    assumeTrue(Emulator.isEmulated(), "the emulator notes what is launched");
    return ChildJvm.run(
        folder,
        Map.of("GATUN_EMULATOR_DEVICES", "90,80,89,90"),
        List.of(
            "-Xmx1g",
            "-Dgatun.cuda.driver=" + Emulator.LIBRARY,
            "-Dgatun.cuda.images=" + Emulator.IMAGES,
            "-Dgatun.cuda.cublaslt=off"),
        ReachRuns.class,
        arguments);
  }

  @Test
  void every_kernel_is_reached_split_and_deep_on_devices_of_every_size(@TempDir Path folder)
      throws Exception {
    ChildJvm.Outcome outcome = plan(folder, EACH);
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().matches("planned: [1-9][0-9]{4,}\n"), outcome.out());
  }

  @Test
  void kernels_that_few_cases_reach_are_named(@TempDir Path folder) throws Exception {
    String out = plan(folder, "3").out();
    String few = "(?s).*\\bmatmul_bf16_sm90a: 1?[0-9] cases reach it as on 132 multiprocessors .*";
    assertTrue(out.matches(few), out);
  }
}
