package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import dev.gatun.test.emulator.Emulator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What tensor cores and vectors take if all operands are aligned to 16 bytes, with each operand in
 * turn that is not: one element behind such a place, or in rows an odd number of elements apart.
 */
final class CudaAlignmentTest {
  private static final Backend CUDA = Emulator.open();
  private static final Pattern LARGE = Pattern.compile("-(deep|large|whole|caches|long|splits)");

  @BeforeAll
  static void emulated() {
    Subjects.assumeBackend("cuda");
  }

  static Stream<Case> cases() {
    // Those of many elements are left to the long tests.
    return cases(1, draw -> !LARGE.matcher(draw.generator().name()).find());
  }

  private static Stream<Case> cases(int each, Predicate<Draw> which) {
    return Cases.draws(Family.TILES, Target.EMULATED, each).filter(which).map(Draw::make);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("cases")
  void each_operand_alone(Case c) {
    check(c);
  }

  @Test
  @Tag("full")
  void each_operand_alone_of_many_more_cases() {
    cases(2, draw -> true).forEach(CudaAlignmentTest::check);
  }

  private static void check(Case c) {
    Runs.References references = Runs.references(c);
    for (Data off : c.data()) {
      Tolerance.check(c, references, Runs.run(c, CUDA, data -> data == off ? 1 : 0));
      Case apart = apart(c, off);
      if (off.shape().length > 1 && isTaken(apart)) {
        Tolerance.check(apart, references, Runs.run(apart, CUDA, data -> 0));
      }
    }
    assertEquals(0, CUDA.memory().allocatedBytes(), "memory is given back");
  }

  /** The same with one operand's rows an element further apart than they are long. */
  private static Case apart(Case c, Data off) {
    long[] shape = off.shape();
    long[] strides = Operand.rowMajor(shape);
    long next = shape.length == 0 ? 1 : shape[shape.length - 1] + 1;
    for (int axis = shape.length - 2; axis >= 0; axis--) {
      strides[axis] = next;
      next *= Math.max(1, shape[axis]);
    }
    List<Data> data = new ArrayList<>(c.data());
    data.set(data.indexOf(off), off.withStrides(strides));
    return new Case(
        c.description() + ", " + off.name() + " apart", data, c.call(), c.exact(), c.oracle());
  }

  /** Whether the kernel takes such rows: some operands have none, or may have no gaps. */
  private static boolean isTaken(Case c) {
    try {
      Runs.run(c, Subjects.EXACT);
      return true;
    } catch (IllegalArgumentException e) {
      assertTrue(
          e.getMessage().contains("gaps") || e.getMessage().contains("stride"), e.getMessage());
      return false;
    }
  }
}
