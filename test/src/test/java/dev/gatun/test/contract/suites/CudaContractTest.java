package dev.gatun.test.contract.suites;

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

/** Every CUDA kernel on the emulator, or on a device, against the reference in double. */
final class CudaContractTest {
  private static final Backend CUDA = Emulator.open();

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cuda");
  }

  @AfterAll
  static void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
  }

  static Stream<Case> cases() {
    return Cases.all(Target.EMULATED, 0, 20);
  }

  static Stream<Case> tiles() {
    return tiles(8);
  }

  private static Stream<Case> tiles(int each) {
    return Cases.draws(Family.TILES, Target.EMULATED, each).map(Draw::make);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("tiles")
  void tensor_cores_agree_with_the_reference(Case c) {
    int seed = c.description().hashCode();
    check(c, true, List.of(Policy.values()[Math.floorMod(seed, 4)], Policy.GREEDY_WARP));
  }

  @Test
  @Tag("full")
  void tensor_cores_agree_with_the_reference_in_many_more_cases() {
    tiles(14).forEach(c -> check(c, true, List.of(Policy.values())));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void agrees_with_the_reference(Case c) {
    int seed = c.description().hashCode();
    check(c, seed % 2 == 0, List.of(Policy.values()[Math.floorMod(seed, 4)], Policy.ROUND_ROBIN));
  }

  @Test
  @Tag("full")
  void agrees_with_the_reference_in_many_more_cases_and_every_order() {
    Cases.all(Target.EMULATED, 20, 27).forEach(c -> check(c, false, List.of(Policy.values())));
  }

  private static void check(Case c, boolean aligned, List<Policy> policies) {
    CudaAgreement.check(c, CUDA, aligned, policies);
  }
}
