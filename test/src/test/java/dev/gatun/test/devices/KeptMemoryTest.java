package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the processor's memory keeps of blocks that are given back. */
@EnabledOnOs(OS.LINUX)
final class KeptMemoryTest {
  /** In a process whose memory nothing else changes. */
  @Test
  void repeated_work_finds_its_blocks_again_and_others_go_back_to_the_system(@TempDir Path folder)
      throws Exception {
    assumeTrue(Device.cpu().description().startsWith("cpu"), "another backend's memory");
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, Map.of(), List.of("-Xmx128m"), KeptMemoryRuns.class);
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
  }
}
