package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bad arguments of optimisers are refused before any native call, by a message with the numbers.
 */
final class BadOptimArgumentsTest {
  private static final Buffer BUFFER = Subjects.CPU.memory().allocate(1 << 12);
  private static final Buffer FOREIGN = Subjects.EXACT.memory().allocate(1 << 12);
  private static final UpdateRule ADAM = new UpdateRule.Adam(0.9, 0.999, 1e-8, false, true);
  private static final float ALL = Float.POSITIVE_INFINITY;

  @AfterAll
  static void close() {
    BUFFER.close();
    FOREIGN.close();
  }

  private static Operand at(long offset, DType dtype, long... shape) {
    return new Operand(BUFFER, offset, dtype, shape, Operand.rowMajor(shape));
  }

  private static Operand at(long offset) {
    return at(offset, DType.F32, 4, 8);
  }

  private static ParameterUpdate update(Operand parameter, Operand gradient, Operand... states) {
    return new ParameterUpdate(parameter, gradient, Arrays.asList(states), null, 0.1, 0);
  }

  private static ParameterUpdate copied(Operand copy) {
    return new ParameterUpdate(at(0), at(32), List.of(at(64), at(96)), copy, 0.1, 0);
  }

  private static ParameterUpdate rates(double rate, double decay) {
    return new ParameterUpdate(at(0), at(32), List.of(at(64), at(96)), null, rate, decay);
  }

  private static KernelCall step(ParameterUpdate... parameters) {
    return new OptimizerStep(ADAM, 1, Arrays.asList(parameters), 1, null, ALL);
  }

  private static KernelCall scaled(long step, float scale, Operand norm, float most) {
    return new OptimizerStep(ADAM, step, List.of(rates(1, 0)), scale, norm, most);
  }

  private static Arguments bad(String message, Supplier<Object> making) {
    return Arguments.of(message, making);
  }

  static Stream<Arguments> calls() {
    Operand foreign = Operand.of(FOREIGN, DType.F32, 4, 8);
    Operand gaps = new Operand(BUFFER, 200, DType.F32, new long[] {4, 8}, new long[] {9, 1});
    return Stream.of(
        bad("optimizer_step: parameter 0 is missing", () -> step(update(null, at(32)))),
        bad("optimizer_step: parameter 1 is missing", () -> step(rates(1, 0), null)),
        bad(
            "global_norm: gradient 1 is missing",
            () -> new GlobalNorm(Arrays.asList(at(0), null), 1, null, at(128, DType.F32, 1))),
        bad(
            "parameter 0 is BF16[4, 8], expected F32",
            () -> step(update(at(0, DType.BF16, 4, 8), at(32)))),
        bad(
            "parameter 0 F32[4, 8] has strides [9, 1], expected row-major without gaps",
            () -> step(update(gaps, at(0)))),
        bad(
            "gradient 0 is F32[4, 7], expected shape [4, 8]",
            () -> step(update(at(0), at(32, DType.F32, 4, 7), at(64), at(96)))),
        bad(
            "1 states of parameter 0, expected [exp_avg, exp_avg_sq]",
            () -> step(update(at(0), at(32), at(64)))),
        bad(
            "exp_avg_sq 0 is F32[32], expected 2 axes",
            () -> step(update(at(0), at(32), at(64), at(96, DType.F32, 32)))),
        bad(
            "output F32[4, 8] overlaps F32[4, 8] in memory",
            () -> step(update(at(0), at(31), at(64), at(96)))),
        bad(
            "output F32[4, 8] overlaps F32[4, 8] in memory",
            () -> step(rates(1, 0), update(at(128), at(160), at(192), at(127)))),
        bad(
            "F32[4, 8] is on cpu, the first output on cpu: move one with to(device)",
            () -> step(update(at(0), foreign, at(64), at(96)))),
        bad("copy 0 is F32[4, 8], expected BF16 or F16", () -> step(copied(at(128)))),
        bad(
            "copy 1 is F16[4, 8], expected BF16 as before",
            () ->
                step(
                    copied(at(400, DType.BF16, 4, 8)),
                    new ParameterUpdate(
                        at(256),
                        at(288),
                        List.of(at(320), at(352)),
                        at(800, DType.F16, 4, 8),
                        1,
                        0))),
        bad("rate 0 is Infinity, expected a finite number", () -> step(rates(1 / 0.0, 0))),
        bad("decay 0 is -1.0, expected 0 or a positive number", () -> step(rates(1, -1))),
        bad("step is 0, expected 1 or more", () -> scaled(0, 1, null, ALL)),
        bad("scale is NaN, expected a finite number", () -> scaled(1, Float.NaN, null, ALL)),
        bad("max norm is 0.0, expected a positive number", () -> scaled(1, 1, null, 0)),
        bad("norm is missing, clipping to 1.0 needs it", () -> scaled(1, 1, null, 1)),
        bad("norm is F32[4, 8], expected 1 axes", () -> scaled(1, 1, at(128), 1)),
        bad("optimizer_step: beta1 is 1.0, expected 0 to below 1", () -> adam(1, 0.9, 1e-8)),
        bad("beta2 is NaN, expected 0 to below 1", () -> adam(0.9, Double.NaN, 1e-8)),
        bad("eps is -1.0, expected 0 or a positive number", () -> adam(0.9, 0.9, -1)),
        bad(
            "Nesterov's momentum is asked for with momentum 0.0 and dampening 0.0",
            () -> new UpdateRule.Sgd(0, 0, true)),
        bad(
            "rate decay is -0.5, expected 0 or a positive number",
            () -> new UpdateRule.Adagrad(-0.5, 0)),
        bad(
            "momentum is 1.0, expected 0 to below 1",
            () -> new UpdateRule.RmsProp(0.9, 0, 1, false)),
        bad("rho is -0.1, expected 0 to below 1", () -> new UpdateRule.Adadelta(-0.1, 0)),
        bad("adafactor_step: step is 0, expected 1 or more", () -> adafactor(0, rates(1, 0))),
        bad(
            "adafactor_step: 3 states of parameter 0, expected [exp_avg_sq_row, exp_avg_sq_col]",
            () -> adafactor(1, update(at(0), at(32), at(64), at(96), at(128)))),
        bad(
            "exp_avg_sq_col 0 is F32[4], expected shape [8]",
            () -> adafactor(1, update(at(0), at(32), at(64, DType.F32, 4), at(96, DType.F32, 4)))),
        bad(
            "exp_avg_sq 0 is F32[4], expected shape [5]",
            () ->
                adafactor(
                    1, update(at(0, DType.F32, 5), at(32, DType.F32, 5), at(64, DType.F32, 4)))),
        bad(
            "output F32[4] overlaps F32[4, 8] in memory",
            () -> adafactor(1, update(at(0), at(32), at(31, DType.F32, 4), at(96, DType.F32, 8)))),
        bad("adafactor_step: eps1 is -1.0", () -> new AdafactorRule(-1, 0, 1, -0.8, 0, true)),
        bad(
            "clip threshold is 0.0, expected a positive number",
            () -> new AdafactorRule(0, 0, 0, -0.8, 0, true)),
        bad(
            "decay rate is 0.8, expected 0 or a negative number",
            () -> new AdafactorRule(0, 0, 1, 0.8, 0, true)),
        bad(
            "adafactor_step: beta1 is 1.0, expected 0 to below 1",
            () -> new AdafactorRule(0, 0, 1, -0.8, 1, true)),
        bad(
            "global_norm: gradient 1 is BF16[4], expected F32",
            () -> norm(at(128, DType.F32, 1), at(0), at(96, DType.BF16, 4))),
        bad("norm is F32[4, 8], expected 1 axes", () -> norm(at(128), at(0))),
        bad("output F32[1] overlaps F32[4, 8] in memory", () -> norm(at(31, DType.F32, 1), at(0))),
        bad(
            "norms is F32[3], expected shape [1]",
            () -> new GlobalNorm(List.of(at(0)), 1, at(64, DType.F32, 3), at(128, DType.F32, 1))));
  }

  private static KernelCall adafactor(long step, ParameterUpdate parameter) {
    AdafactorRule rule = new AdafactorRule(1e-30, 1e-3, 1, -0.8, 0, true);
    return new AdafactorStep(rule, step, List.of(parameter), 1, null, ALL);
  }

  private static UpdateRule adam(double beta1, double beta2, double eps) {
    return new UpdateRule.Adam(beta1, beta2, eps, false, false);
  }

  private static KernelCall norm(Operand norm, Operand... gradients) {
    return new GlobalNorm(List.of(gradients), 1, null, norm);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void is_refused(String message, Supplier<Object> making) {
    String got = assertThrows(IllegalArgumentException.class, making::get).getMessage();
    assertTrue(got.contains(message), () -> got + "\nshould contain: " + message);
  }

  @Test
  void a_closed_gradient_is_refused() {
    Buffer closed = Subjects.CPU.memory().allocate(128);
    KernelCall call = step(update(at(0), Operand.of(closed, DType.F32, 4, 8), at(64), at(96)));
    closed.close();
    assertEquals(
        "optimizer_step: buffer of 128 bytes is closed",
        assertThrows(IllegalStateException.class, () -> Subjects.CPU.kernels().run(call))
            .getMessage());
  }
}
