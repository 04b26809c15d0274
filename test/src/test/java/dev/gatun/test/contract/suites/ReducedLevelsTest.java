package dev.gatun.test.contract.suites;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels that choose by instruction sets, as on processors that lack some of this one's. */
final class ReducedLevelsTest {
  private static final List<String> KERNELS =
      List.of(
          "matmul",
          "grouped_matmul",
          "quantized_matmul",
          "block_matmul",
          "grouped_quantized_matmul",
          "scaled_dot_product_attention");

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    LevelVariant.whole().getLast().choose(Subjects.CPU);
  }

  static Stream<Case> cases() {
    return Cases.draws(Family.PLAIN, Target.HOST, 12)
        .filter(draw -> KERNELS.stream().anyMatch(draw.generator().name()::startsWith))
        .map(Draw::make);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void agrees_with_the_reference(Case c) {
    Runs.References references = Runs.references(c);
    for (LevelVariant variant : LevelVariant.reduced()) {
      variant.choose(Subjects.CPU);
      try {
        Tolerance.check(c, references, Runs.run(c, Subjects.CPU));
      } catch (AssertionError e) {
        throw new AssertionError(variant + ": " + e.getMessage(), e);
      }
    }
  }
}
