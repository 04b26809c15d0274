package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.CudaAgreement;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels that compute capability 9.0 alone has, in every order of threads. */
final class CudaHopperTest {
  private static final Backend CUDA = Emulator.openHopper();

  @BeforeAll
  static void capability() {
    Subjects.assumeBackend("cuda");
    assumeTrue(CUDA.description().endsWith("9.0"), CUDA.description());
  }

  @AfterAll
  static void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
  }

  static Stream<Case> cases() {
    return cases(4);
  }

  private static Stream<Case> cases(int each) {
    return Cases.draws(Family.HOPPER, Target.EMULATED_HOPPER, each).map(Draw::make);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void agrees_with_the_reference_in_every_order(Case c) {
    CudaAgreement.check(c, CUDA, true, List.of(Policy.values()));
  }

  @Test
  @Tag("full")
  void agrees_with_the_reference_in_many_more_cases() {
    cases(12).forEach(c -> CudaAgreement.check(c, CUDA, true, List.of(Policy.values())));
  }
}
