package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.mutations.MutantRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plans as for a large device: keys of a query among more blocks than a warp has lanes. */
final class CudaSplitsTest {
  @Test
  void splits_are_joined_however_many_there_are(@TempDir Path folder) throws Exception {
    assumeTrue(Emulator.isEmulated(), "a device has multiprocessors of its own");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of(
                "-Xmx1g",
                "-D" + Target.MULTIPROCESSORS + "=132",
                "-Dgatun.test.emulator=" + Emulator.LIBRARY.getParent(),
                "-Dgatun.test.kernel=scaled_dot_product_attention-splits"),
            MutantRun.class,
            CudaContractTest.class.getName() + "#tensor_cores_agree_with_the_reference");
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
  }
}
