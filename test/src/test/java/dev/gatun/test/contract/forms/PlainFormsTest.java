package dev.gatun.test.contract.forms;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Subjects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fused op's kernel form against its plain form, on the processor. */
final class PlainFormsTest {
  private static final Recorder CPU = new Recorder(Subjects.CPU);

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  static Stream<Case> cases() {
    return PlainForms.cases(8).stream();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void the_forms_of_an_op_agree(Case c) {
    PlainForms.check(c, CPU);
    assertEquals(0, Subjects.CPU.memory().allocatedBytes(), "memory is given back");
  }
}
