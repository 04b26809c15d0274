package dev.gatun.test.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.util.List;
import java.util.Map;
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
    return Cases.all(20);
  }

  static Stream<Case> tiles() {
    return tiles(15);
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
    tiles(120).forEach(c -> check(c, true, List.of(Policy.values())));
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
    Cases.all(20, 80).forEach(c -> check(c, false, List.of(Policy.values())));
  }

  static void check(Case c, boolean aligned, List<Policy> policies) {
    check(c, CUDA, aligned, policies);
  }

  static void check(Case c, Backend cuda, boolean aligned, List<Policy> policies) {
    check(c, Runs.references(c), cuda, aligned, policies);
  }

  /** Also that every order of threads gives the same bits. */
  static void check(
      Case c, Runs.References references, Backend cuda, boolean aligned, List<Policy> policies) {
    Map<String, int[]> first = null;
    int seed = 1;
    for (Policy policy : policies) {
      Emulator.set(policy, seed++, seed % 2 == 0, seed % 3 == 0);
      Map<String, int[]> got = Runs.run(c, cuda, aligned);
      if (first == null) {
        first = got;
        Tolerance.check(c, references.exact(), references.plain(), got);
      }
      for (String name : got.keySet()) {
        assertArrayEquals(first.get(name), got.get(name), c + ": " + name + " by " + policy);
      }
    }
    assertEquals(0, cuda.memory().allocatedBytes(), "memory is given back");
  }
}
