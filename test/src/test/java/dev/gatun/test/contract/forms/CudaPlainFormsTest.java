package dev.gatun.test.contract.forms;

import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fused op's kernel form against its plain form, on the emulator or on a device. */
final class CudaPlainFormsTest {
  private static final Recorder CUDA = new Recorder(Emulator.open());

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cuda");
  }

  static Stream<Case> cases() {
    return PlainForms.cases(Target.EMULATED, 2).stream();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void the_forms_of_an_op_agree(Case c) {
    PlainForms.check(c, CUDA);
  }
}
