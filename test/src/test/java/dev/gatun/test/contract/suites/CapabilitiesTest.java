package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.contract.programs.CapabilityRuns;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.test.emulator.Emulator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is made for compute capability 9.0 runs on it alone; other devices take what all can run.
 */
final class CapabilitiesTest {
  @TempDir private Path folder;

  @Test
  void each_device_takes_a_kernel_that_it_runs() throws Exception {
    assumeTrue(Emulator.isEmulated(), "a machine has one kind of device");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of("GATUN_EMULATOR_DEVICES", "80,89,90,100,120"),
            List.of(),
            CapabilityRuns.class,
            "5");
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
    assertEquals(
        """
        Gatun emulator, compute capability 8.0 no no no no no
        Gatun emulator, compute capability 8.9 no no no no no
        Gatun emulator, compute capability 9.0 yes yes yes yes yes
        Gatun emulator, compute capability 10.0 no no no no no
        Gatun emulator, compute capability 12.0 no no no no no
        """,
        outcome.out());
  }
}
