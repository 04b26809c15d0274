package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel on every level against the reference in double. */
final class KernelContractTest {
  private static final int THREADS = Subjects.CPU.threads();

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
    Subjects.CPU.setThreads(THREADS);
  }

  static Stream<Case> cases() {
    return Cases.all(40);
  }

  static Stream<Case> manyCases() {
    return Cases.all(Target.HOST, 40, 120);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void agrees_with_the_reference(Case c) {
    check(c);
  }

  @Test
  @Tag("full")
  void agrees_with_the_reference_in_many_more_cases() {
    assertAll(manyCases().map(c -> () -> check(c)));
  }

  private static void check(Case c) {
    Runs.References references = Runs.references(c);
    List<AssertionError> failures = new ArrayList<>();
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      try {
        Map<String, int[]> first = null;
        for (int threads : new int[] {1, 2, 3, 7}) {
          Subjects.CPU.setThreads(threads);
          Map<String, int[]> got = Runs.run(c, Subjects.CPU);
          if (first == null) {
            first = got;
            Tolerance.check(c, references, got);
          }
          for (String name : got.keySet()) {
            assertArrayEquals(
                first.get(name), got.get(name), c + ": " + name + " on threads " + threads);
          }
        }
      } catch (AssertionError e) {
        failures.add(new AssertionError("level " + level.id() + ": " + e.getMessage(), e));
      }
    }
    if (!failures.isEmpty()) {
      failures.stream().skip(1).forEach(failures.getFirst()::addSuppressed);
      throw failures.getFirst();
    }
    assertEquals(0, Subjects.CPU.memory().allocatedBytes(), "memory is given back");
  }
}
