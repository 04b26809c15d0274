package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.cli.Gatun;
import dev.gatun.test.contract.programs.CublasLtRuns;
import dev.gatun.test.emulator.Emulator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Products by cuBLASLt, which a stand-in on the emulator plays; a JVM each, that loads it once. */
final class CublasLtTest {
  private static final String BY_LIBRARY = "matrix products: cuBLASLt 13.1.0, ";
  private static final String BY_GATUN =
      "matrix products: kernels of Gatun, for there is no cuBLASLt: ";

  @TempDir private static Path folder;

  private static Path library;

  @BeforeAll
  static void compile() throws Exception {
    assumeTrue(Emulator.isEmulated(), "the stand-in works on emulated memory");
    library = folder.resolve("libfake_cublaslt.so");
    ChildJvm.compile(folder, Path.of("src/test/cpp/fake_cublaslt.cpp"), library, Emulator.LIBRARY);
  }

  private static ChildJvm.Outcome run(
      Map<String, String> environment, List<String> options, Class<?> main, String... arguments)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("-Dgatun.cuda.driver=" + Emulator.LIBRARY));
    all.addAll(
        List.of("-Dgatun.cuda.images=" + Emulator.IMAGES, "-Dgatun.cuda.cublaslt=" + library));
    all.addAll(options);
    ChildJvm.Outcome outcome = ChildJvm.run(folder, environment, all, main, arguments);
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
    return outcome;
  }

  private static ChildJvm.Outcome one(Map<String, String> environment, String... options)
      throws Exception {
    ChildJvm.Outcome outcome = run(environment, List.of(options), CublasLtRuns.class, "one");
    assertTrue(outcome.out().endsWith("held: 0\ncpu: 1\n"), outcome.out());
    return outcome;
  }

  @Test
  void products_agree_with_the_reference() throws Exception {
    ChildJvm.Outcome outcome = run(Map.of(), List.of(), CublasLtRuns.class, "contract", "15");
    assertTrue(outcome.out().contains(BY_LIBRARY + library), outcome.out());
    assertTrue(outcome.out().contains("done: "), outcome.out());
    List<String> products = outcome.err().lines().filter(l -> l.contains(" parts")).toList();
    assertTrue(products.size() > 40, products::toString);
    assertTrue(products.stream().anyMatch(l -> l.endsWith(" 3 parts")), products::toString);
    assertTrue(products.stream().anyMatch(l -> l.contains(" 2 times ")), products::toString);
  }

  @Test
  void what_the_library_does_not_support_runs_by_our_kernels() throws Exception {
    for (int status : new int[] {8, 15}) {
      Map<String, String> fails =
          Map.of("FAKE_CUBLASLT_FAIL", "cublasLtMatmulAlgoGetHeuristic:" + status);
      ChildJvm.Outcome outcome = run(fails, List.of(), CublasLtRuns.class, "contract", "2");
      assertTrue(outcome.out().contains("done: "), outcome.out());
      assertFalse(outcome.err().contains(" parts"), outcome.err());
    }
  }

  @Test
  void activations_that_the_library_does_not_fuse_are_computed_behind() throws Exception {
    Map<String, String> plain = Map.of("FAKE_CUBLASLT_PLAIN", "1");
    ChildJvm.Outcome outcome = run(plain, List.of(), CublasLtRuns.class, "contract", "6");
    assertTrue(outcome.out().contains("done: "), outcome.out());
    assertTrue(outcome.err().contains(" parts"), outcome.err());
  }

  @Test
  void f32_is_exact_unless_tf32_is_asked_for() throws Exception {
    String exact = one(Map.of()).out();
    assertTrue(exact.contains("y = 1.0002441\nbatched = 1.0002441\n"), exact);
    assertTrue(exact.contains("F16 = 1.0\nRELU of F16 = 1.0\n"), exact);
    ChildJvm.Outcome rounded = one(Map.of(), "-Dgatun.cuda.tf32=true");
    assertTrue(rounded.out().contains("y = 1.0\nbatched = 1.0\nF16 = 1.0\n"), rounded.out());
    assertTrue(rounded.out().contains("cuBLASLt 13.1.0 with TF32, "), rounded.out());
  }

  @Test
  void a_library_that_fails_is_named_with_its_call_and_the_shapes() throws Exception {
    String out = one(Map.of("FAKE_CUBLASLT_FAIL", "cublasLtMatmul:13")).out();
    assertTrue(
        out.contains(
            "cublasLtMatmul(F32[1, 1] of x F32[1, 1] and weight F32[1, 1], epilogue NONE):"
                + " CUBLAS_STATUS_EXECUTION_FAILED (13), as the test asked for\n"),
        out);
    out = one(Map.of("FAKE_CUBLASLT_FAIL", "cublasLtMatmulAlgoGetHeuristic:14")).out();
    assertTrue(out.contains("CUBLAS_STATUS_INTERNAL_ERROR (14)"), out);
  }

  @Test
  void a_library_that_cannot_start_leaves_the_products_to_our_kernels() throws Exception {
    ChildJvm.Outcome outcome = one(Map.of("FAKE_CUBLASLT_FAIL", "cublasLtCreate:1"));
    assertTrue(outcome.out().contains("y = 1.0002441\n"), outcome.out());
    assertFalse(outcome.err().contains(" parts"), outcome.err());
    assertTrue(
        outcome.out().contains(BY_GATUN + "cublasLtCreate(0): CUBLAS_STATUS_NOT_INITIALIZED (1)"),
        outcome.out());
  }

  @Test
  void info_says_what_computes_products_and_why() throws Exception {
    String info = run(Map.of(), List.of(), Gatun.class, "info").out();
    assertTrue(info.contains(BY_LIBRARY + library + "\n"), info);
    String verbose = run(Map.of(), List.of(), Gatun.class, "info", "--verbose").out();
    assertTrue(verbose.contains("       kernels: code for sm_80\n"), verbose);
    assertTrue(
        verbose.contains(
            "       memory: 0 bytes are held by tensors, at most 0 were; the pool has 0 bytes, at"
                + " most 0\n"),
        verbose);
    info = run(Map.of("FAKE_CUBLASLT_VERSION", "110500"), List.of(), Gatun.class, "info").out();
    assertTrue(
        info.contains(
            BY_GATUN + library + ": is too old: version 11.5.0, and 12.0.0 or later is needed\n"),
        info);
    info = run(Map.of(), List.of("-Dgatun.cuda.cublaslt=off"), Gatun.class, "info").out();
    assertTrue(info.contains(BY_GATUN + "-Dgatun.cuda.cublaslt=off: asked for no library\n"), info);
    info = run(Map.of(), List.of("-Dgatun.cuda.cublaslt=/none.so"), Gatun.class, "info").out();
    assertTrue(info.contains(BY_GATUN + "/none.so: no such file\n"), info);
  }
}
