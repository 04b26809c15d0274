package dev.gatun.test.contract.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.util.List;
import java.util.Map;

/** Whether a CUDA backend gives what the reference says, with the same bits in every order. */
public final class CudaAgreement {
  private CudaAgreement() {}

  public static void check(Case c, Backend cuda, boolean aligned, List<Policy> policies) {
    check(c, Runs.references(c), cuda, aligned, policies);
  }

  /** Also that every order of threads gives the same bits. */
  public static void check(
      Case c, Runs.References references, Backend cuda, boolean aligned, List<Policy> policies) {
    Map<String, int[]> first = null;
    int seed = 1;
    for (Policy policy : policies) {
      Emulator.set(policy, seed++, seed % 2 == 0, seed % 3 == 0);
      Map<String, int[]> got = Runs.run(c, cuda, aligned);
      if (first == null) {
        first = got;
        Tolerance.check(c, references, got);
      }
      for (String name : got.keySet()) {
        assertArrayEquals(first.get(name), got.get(name), c + ": " + name + " by " + policy);
      }
    }
    assertEquals(0, cuda.memory().allocatedBytes(), "memory is given back");
  }
}
