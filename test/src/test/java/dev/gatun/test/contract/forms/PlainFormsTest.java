package dev.gatun.test.contract.forms;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fused op's kernel form against its plain form, on the processor. */
final class PlainFormsTest {
  private static final Recorder CPU = new Recorder(Subjects.CPU);

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @Test
  void every_fused_kernel_has_cases_of_its_name() {
    Set<String> without = PlainForms.generators();
    Cases.draws(Family.PLAIN, Target.HOST, 1)
        .forEach(draw -> without.remove(draw.generator().name()));
    String kernel = System.getProperty("gatun.test.kernel", "");
    without.removeIf(name -> !name.startsWith(kernel));
    assertEquals(Set.of(), without, "generators that no class of cases has");
  }

  static Stream<Case> cases() {
    return PlainForms.cases(Target.HOST, 8).stream();
  }

  /**
   * But for products with codes: the plain form multiplies floats, each product rounded, where the
   * kernel and the computations that bound it multiply whole numbers.
   */
  @Test
  @Tag("full")
  void the_forms_of_an_op_agree_in_many_more_cases() {
    List<String> wrong = new ArrayList<>();
    for (Case c : PlainForms.cases(Target.HOST, 80)) {
      if (c.description().contains("quantized_matmul")
          || c.description().contains("block_matmul")) {
        continue;
      }
      try {
        PlainForms.check(c, CPU);
      } catch (AssertionError e) {
        wrong.add(e.getMessage());
      }
    }
    assertEquals("", String.join("\n", wrong));
  }

  static Stream<Case> recorded() {
    // What runs behind a tape is not recorded; a product's refusal names what its op lacks.
    return PlainForms.cases(Target.HOST, 2).stream()
        .filter(c -> !c.description().contains("_backward"))
        .filter(c -> !c.description().startsWith("plain/matmul/"));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("recorded")
  void an_op_has_a_gradient_or_refuses_what_is_tracked(Case c) {
    PlainForms.checkTracked(c, CPU);
    assertEquals(0, Subjects.CPU.memory().allocatedBytes(), "memory is given back");
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void the_forms_of_an_op_agree(Case c) {
    PlainForms.check(c, CPU);
    assertEquals(0, Subjects.CPU.memory().allocatedBytes(), "memory is given back");
  }
}
