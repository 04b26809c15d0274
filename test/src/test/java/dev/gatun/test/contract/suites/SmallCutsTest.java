package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.programs.ResultBits;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.test.mutations.MutantRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The processor's kernels with loops that are cut every few elements, by a library of its own: the
 * contract's cases, which are small, cross each cut several times.
 */
@Tag("full")
@Tag("small-cuts")
final class SmallCutsTest {
  private static final Path BUILD = Path.of("target", "small-cuts").toAbsolutePath();
  private static final Path LIBRARY =
      BUILD.resolve(NativeLoader.platform()).resolve(System.mapLibraryName("gatun_cpu"));

  @BeforeAll
  static void build(@TempDir Path folder) throws Exception {
    Subjects.assumeBackend("cpu");
    Path script = Path.of("../kernels/cpu/src/main/cpp/build.sh").toAbsolutePath();
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of(
                "bash",
                script.toString(),
                BUILD.toString(),
                BUILD.resolve("resources").toString(),
                "CUTS=small",
                "AARCH64_CXX="));
    assertEquals(0, outcome.code(), outcome.err());
  }

  @Test
  void every_kernel_agrees_with_the_reference(@TempDir Path folder) throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of(
                "-Xmx2g",
                "-Dgatun.cpu.library=" + LIBRARY,
                "-D" + Cases.SEED + "=" + Long.getLong(Cases.SEED, 1)),
            MutantRun.class,
            KernelContractTest.class.getName() + "#agrees_with_the_reference");
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
  }

  /** Of the kernels whose sums run in one order, however they are cut. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "matmul",
        "batched_matmul",
        "grouped_matmul",
        "matmul_pack",
        "cast",
        "copy",
        "elementwise",
        "embedding",
        "index_add",
        "index_select",
        "argmax",
        "sort",
        "topk",
        "softmax",
        "gated_activation",
        "expert_combine",
        "expert_routing",
        "rotary_embedding"
      })
  void results_are_those_of_the_usual_cuts_to_the_bit(String kernel, @TempDir Path folder)
      throws Exception {
    String usual = bits(folder, kernel, List.of());
    String small = bits(folder, kernel, List.of("-Dgatun.cpu.library=" + LIBRARY));
    assertFalse(usual.isEmpty());
    assertEquals(usual, small);
  }

  /** What shows that the cuts are others: sums of attention are in an order of their own. */
  @Test
  void the_library_is_another(@TempDir Path folder) throws Exception {
    String kernel = "scaled_dot_product_attention-edges";
    assertNotEquals(
        bits(folder, kernel, List.of()),
        bits(folder, kernel, List.of("-Dgatun.cpu.library=" + LIBRARY)));
  }

  private static String bits(Path folder, String kernel, List<String> more) throws Exception {
    List<String> options =
        new java.util.ArrayList<>(List.of("-Xmx2g", "-Dgatun.test.kernel=" + kernel));
    options.addAll(more);
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), options, ResultBits.class, "40");
    assertEquals(0, outcome.code(), outcome.err());
    return outcome.out();
  }
}
