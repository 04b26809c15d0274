package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.programs.StarvedRuns;
import dev.gatun.test.devices.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels of the processor that get no memory say so, and leave nothing broken behind. */
final class StarvedKernelsTest {
  @Test
  void a_kernel_without_memory_says_so(@TempDir Path folder) throws Exception {
    run(folder, 1);
  }

  @Test
  @Tag("full")
  void many_kernels_without_memory_say_so(@TempDir Path folder) throws Exception {
    run(folder, 6);
  }

  private static void run(Path folder, int cases) throws Exception {
    Subjects.assumeBackend("cpu");
    assumeTrue(System.getProperty("os.name").equals("Linux"), "libraries are preloaded on Linux");
    Path library = folder.resolve("libstarved.so");
    ChildJvm.compile(folder, Path.of("src/test/cpp/starved.cpp"), library);
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of("LD_PRELOAD", library.toString()),
            List.of("-Xmx1g", "-D" + Cases.SEED + "=" + Long.getLong(Cases.SEED, 1)),
            StarvedRuns.class,
            Integer.toString(cases),
            library.toString());
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
    String[] words = outcome.out().strip().split(" ");
    assertTrue(Integer.parseInt(words[1]) >= 50, outcome.out());
  }
}
