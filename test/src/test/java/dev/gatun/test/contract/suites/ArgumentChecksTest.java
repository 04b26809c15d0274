package dev.gatun.test.contract.suites;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.VAST;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.ids;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.numbers;
import static dev.gatun.test.contract.frame.BadCall.of;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateFormula;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arguments at both sides of what kernels take, and the messages of those beyond. */
final class ArgumentChecksTest {
  private static final float NAN = Float.NaN;
  private static final float ALL = Float.POSITIVE_INFINITY;
  private static final long TWO_31 = 1L << 31;
  private static final Buffer FOREIGN = Subjects.CPU.memory().allocate(128);

  /** Rows of 8 that begin 4 elements after each other. */
  private static final Operand OVERLAPPING =
      new Operand(OUT, 0, DType.F32, new long[] {2, 8}, new long[] {4, 1});

  /** A row that has no stride, for there is no other. */
  private static final Operand ROW =
      new Operand(OUT, 0, DType.F32, new long[] {1, 8}, new long[] {0, 1});

  @AfterAll
  static void close() {
    FOREIGN.close();
  }

  private static Arguments bad(String message, Supplier<?> making) {
    return arguments(message, making);
  }

  private static GroupedMatmul grouped(Operand x, Operand rows, Operand y) {
    return new GroupedMatmul(
        x,
        rows,
        ints(2),
        of(IN, MatmulPack.packedCount(DType.F32, 8, 8)),
        null,
        Activation.NONE,
        y);
  }

  private static ExpertRouting routing(Operand logits, Operand experts) {
    return new ExpertRouting(logits, false, 1, null, experts, X, X, X, X);
  }

  private static ExpertCombine combine(Operand x, Operand y) {
    return new ExpertCombine(
        x, of(IN, y.size(0), 1), at(IN, 1 << 13, DType.I32, y.size(0), 1), null, y);
  }

  static Stream<Arguments> experts() {
    Operand tall = of(VAST, TWO_31, 0);
    return Stream.of(
        bad(
            "expert_routing: logits is F32[0, 2147483648], expected fewer than 2^31 experts and,"
                + " with k 1, slots",
            () -> routing(of(VAST, 0, TWO_31), Operand.of(VAST, DType.I32, 0, 1))),
        bad(
            "expert_routing: logits is F32[1073741824, 2], expected fewer than 2^31 experts and,"
                + " with k 2, slots",
            () -> routing(of(VAST, 1L << 30, 2), Operand.of(VAST, DType.I32, 1L << 30, 2))),
        bad(
            "expert_routing: k is 9, expected 1 to the experts of logits F32[4, 8]",
            () -> routing(X, at(IN, 1 << 13, DType.I32, 4, 9))),
        bad(
            "grouped_matmul: y F32[2, 8] has overlapping rows, stride 4",
            () -> grouped(of(IN, 2, 8), null, OVERLAPPING)),
        bad(
            "grouped_matmul: x F32[2147483648, 0] and y F32[2147483648, 0]: expected fewer than"
                + " 2^31 rows",
            () -> grouped(tall, null, tall)),
        bad(
            "grouped_matmul: x F32[2147483648, 0] and y F32[1, 8]: expected fewer than 2^31 rows",
            () -> grouped(tall, ints(1), ROW)),
        bad(
            "expert_combine: x is F32[2147483648, 0], expected fewer than 2^31 rows",
            () -> combine(tall, of(OUT, 1, 0))),
        bad(
            "expert_combine: y F32[2, 8] has overlapping rows, stride 4",
            () -> combine(of(IN, 2, 8), OVERLAPPING)));
  }

  private static CrossEntropyBackward loss(float smoothing, float zLoss) {
    return new CrossEntropyBackward(X, ids(4), null, -100, smoothing, zLoss, 1, Y, null);
  }

  private static RmsNorm norm(float shift, float eps) {
    return new RmsNorm(X, null, of(IN, 8), shift, eps, Y, null);
  }

  private static RmsNormBackward normBackward(float shift, float eps) {
    return new RmsNormBackward(X, X, of(IN, 8), shift, eps, null, Y, null);
  }

  private static Sample sample(long columns) {
    return new Sample(of(VAST, 1, columns), X, X, X);
  }

  static Stream<Arguments> rows() {
    return Stream.of(
        bad("cross_entropy_backward: smoothing is -0.5, expected 0 to 1", () -> loss(-0.5f, 0)),
        bad("cross_entropy_backward: smoothing is 1.5, expected 0 to 1", () -> loss(1.5f, 0)),
        bad("cross_entropy_backward: smoothing is NaN, expected 0 to 1", () -> loss(NAN, 0)),
        bad(
            "cross_entropy_backward: z-loss is -1.0, expected 0 or a positive number",
            () -> loss(0, -1)),
        bad(
            "cross_entropy_backward: z-loss is Infinity, expected 0 or a positive number",
            () -> loss(0, ALL)),
        bad(
            "quantize: weight is F32[2147483648, 0], expected fewer than 2^31 rows",
            () ->
                new Quantize(
                    of(VAST, TWO_31, 0), BlockFormat.INT8, Operand.of(VAST, DType.U8, TWO_31, 0))),
        bad(
            "rms_norm: y is missing",
            () -> new RmsNorm(X, null, of(IN, 8), 0, 0, null, null, null)),
        bad(
            "rms_norm: eps is NaN and shift 0.0, expected 0 or more, and finite",
            () -> norm(0, NAN)),
        bad(
            "rms_norm: eps is 0.0 and shift Infinity, expected 0 or more, and finite",
            () -> norm(ALL, 0)),
        bad(
            "rms_norm_backward: eps is -1.0 and shift 0.0, expected 0 or more, and finite",
            () -> normBackward(0, -1)),
        bad(
            "rms_norm_backward: eps is 0.0 and shift NaN, expected 0 or more, and finite",
            () -> normBackward(NAN, 0)),
        bad(
            "sort: x is F64[4, 8], expected F32, BF16, F16, I64, I32, I8 or U8",
            () -> new Sort(Operand.of(IN, DType.F64, 4, 8), false, Y, null)),
        bad(
            "sort: x is F32[0, 2147483648], expected fewer than 2^31 columns",
            () -> new Sort(of(VAST, 0, TWO_31), false, Y, null)),
        bad(
            "topk: x is F32[0, 4294967296], expected fewer than 2^32 columns",
            () -> new TopK(of(VAST, 0, 1L << 32), Y, Y)),
        bad("sample: x is F32[1, 0], expected 1 to 4194304 columns", () -> sample(0)),
        bad(
            "sample: x is F32[1, 4194305], expected 1 to 4194304 columns",
            () -> sample((1 << 22) + 1)),
        bad("sample: temperature is F32[4, 8], expected 1 axes", () -> sample(1 << 22)),
        bad(
            "scan: x is I32[4, 8, 1], expected F32, BF16, F16 or I64",
            () -> new Scan(Operand.of(IN, DType.I32, 4, 8, 1), ScanOp.SUM, Y)),
        bad("embedding: ids I64[4] may be up to 4, expected at most 3", () -> embedding(5)),
        bad(
            "sum: input F32[4, 8] is on cpu, the output on cpu: move one with to(device)",
            () -> {
              Operand foreign = of(FOREIGN, 4, 8);
              Checks.disjoint(new Operands("sum", List.of(foreign), List.of(Y)));
              return foreign;
            }),
        bad(
            "sum: outputs F32[4, 8] and F32[8] overlap in memory",
            () -> {
              Checks.disjoint(new Operands("sum", List.of(X), List.of(Y, at(OUT, 31, 8))));
              return Y;
            }));
  }

  private static Embedding embedding(long below) {
    return new Embedding(of(IN, 4, 8), new Indices(numbers(4), below), false, Y);
  }

  private static AdafactorRule adafactor(double clip, double decay, double beta1) {
    return new AdafactorRule(1e-30, 1e-3, clip, decay, beta1, true);
  }

  private static OptimizerStep sgd(double decay) {
    return new OptimizerStep(
        new UpdateRule.Sgd(0, 0, false),
        1,
        List.of(new ParameterUpdate(Y, X, List.of(), null, 0.1, decay)),
        1,
        null,
        Float.POSITIVE_INFINITY);
  }

  private static GlobalNorm norm(Operand norm, Operand... gradients) {
    return new GlobalNorm(List.of(gradients), 1, null, norm);
  }

  static Stream<Arguments> steps() {
    String clip = ", expected a positive number";
    String decay = ", expected 0 or a negative number";
    String share = ", expected 0 to below 1";
    String positive = ", expected 0 or a positive number";
    String nesterov = "optimizer_step: Nesterov's momentum is asked for with momentum ";
    return Stream.of(
        bad("adafactor_step: clip threshold is 0.0" + clip, () -> adafactor(0, -0.8, 0)),
        bad("adafactor_step: clip threshold is NaN" + clip, () -> adafactor(Double.NaN, -0.8, 0)),
        bad(
            "adafactor_step: clip threshold is Infinity" + clip,
            () -> adafactor(Double.POSITIVE_INFINITY, -0.8, 0)),
        bad("adafactor_step: decay rate is 0.5" + decay, () -> adafactor(1, 0.5, 0)),
        bad("adafactor_step: decay rate is NaN" + decay, () -> adafactor(1, Double.NaN, 0)),
        bad(
            "adafactor_step: decay rate is -Infinity" + decay,
            () -> adafactor(1, -Double.POSITIVE_INFINITY, 0)),
        bad("adafactor_step: beta1 is -0.1" + share, () -> adafactor(1, -0.8, -0.1)),
        bad("adafactor_step: beta1 is 1.0" + share, () -> adafactor(1, -0.8, 1)),
        bad("adafactor_step: beta1 is NaN" + share, () -> adafactor(1, -0.8, Double.NaN)),
        bad(
            "adafactor_step: eps1 is Infinity" + positive,
            () -> new AdafactorRule(Double.POSITIVE_INFINITY, 0, 1, 0, 0, true)),
        bad(
            "adafactor_step: eps2 is -1.0" + positive,
            () -> new AdafactorRule(0, -1, 1, 0, 0, true)),
        bad(
            "optimizer_step: eps is Infinity" + positive,
            () -> new UpdateRule.Adagrad(0, Double.POSITIVE_INFINITY)),
        bad("optimizer_step: eps is NaN" + positive, () -> new UpdateRule.Adagrad(0, Double.NaN)),
        bad("optimizer_step: rho is -0.1" + share, () -> new UpdateRule.Adadelta(-0.1, 0)),
        bad("optimizer_step: rho is 1.0" + share, () -> new UpdateRule.Adadelta(1, 0)),
        bad(
            nesterov + "0.9 and dampening 0.5, expected momentum and no dampening",
            () -> new UpdateRule.Sgd(0.9, 0.5, true)),
        bad(
            nesterov + "0.0 and dampening 0.0, expected momentum and no dampening",
            () -> new UpdateRule.Sgd(0, 0, true)),
        bad("optimizer_step: decay 0 is -1.0" + positive, () -> sgd(-1)),
        bad("optimizer_step: decay 0 is NaN" + positive, () -> sgd(Double.NaN)),
        bad("optimizer_step: decay 0 is Infinity" + positive, () -> sgd(Double.POSITIVE_INFINITY)),
        bad(
            "global_norm: scale is NaN, expected a finite number",
            () -> new GlobalNorm(List.of(X), NAN, null, at(OUT, 0, 1))),
        // The gradient that begins before the norm is not the one that reaches up to it.
        bad(
            "global_norm: output F32[1] overlaps F32[32] in memory",
            () -> norm(at(IN, 20, 1), of(IN, 32), at(IN, 4, 8))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"experts", "rows", "steps"})
  void is_refused(String message, Supplier<?> making) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, making::get).getMessage());
  }

  private static Arguments fine(String outputs, Supplier<KernelCall> making) {
    return arguments(outputs, making);
  }

  static Stream<Arguments> calls() {
    TokenCodes codes =
        new TokenCodes(
            at(OUT, 0, DType.I8, 4, 8), new ActivationCodes(at(OUT, 32, 4), null), false);
    return Stream.of(
        fine("[F32[1, 8]]", () -> grouped(of(IN, 1, 8), null, ROW)),
        fine("[F32[1, 8]]", () -> combine(of(IN, 2, 8), ROW)),
        fine("[F32[4, 8]]", () -> loss(0, 0)),
        fine("[F32[4, 8]]", () -> loss(1, 1)),
        fine("[F32[4, 8]]", () -> norm(1, 0)),
        fine("[F32[4, 8]]", () -> normBackward(1, 0)),
        fine(
            "[F32[4, 8], I8[4, 8], F32[4]]",
            () -> new RmsNorm(X, null, of(IN, 8), 0, 0, at(OUT, 40, 4, 8), null, codes)),
        fine("[I8[4, 8], F32[4]]", () -> new RmsNorm(X, null, of(IN, 8), 0, 0, null, null, codes)),
        fine("[F32[4, 8]]", () -> embedding(4)),
        fine("[F32[4, 8]]", () -> embedding(Indices.UNKNOWN)),
        fine(
            "[I64[4, 8, 1]]",
            () ->
                new Scan(
                    Operand.of(IN, DType.I64, 4, 8, 1),
                    ScanOp.SUM,
                    Operand.of(OUT, DType.I64, 4, 8, 1))));
  }

  @ParameterizedTest(name = "{index}: {0}")
  @MethodSource("calls")
  void at_a_limit_is_taken(String outputs, Supplier<KernelCall> making) {
    assertEquals(outputs, making.get().outputs().toString());
  }

  @Test
  void settings_at_their_limits_are_taken() {
    assertEquals(-0.0, adafactor(Double.MIN_VALUE, -0.0, 0).decayRate());
    assertEquals(0.5, adafactor(Double.MAX_VALUE, -0.8, 0.5).beta1());
    assertEquals(UpdateFormula.SGD_NESTEROV, new UpdateRule.Sgd(0.9, 0, true).formula());
    assertEquals(UpdateFormula.SGD_MOMENTUM, new UpdateRule.Sgd(0.9, 0.5, false).formula());
    assertEquals(UpdateFormula.SGD, new UpdateRule.Sgd(0, 0.5, false).formula());
    assertEquals(0.5, sgd(0.5).parameters().getFirst().decay());
    assertEquals(2, norm(at(IN, 32, 1), of(IN, 32), at(IN, 4, 8)).inputs().size());
  }

  /** A call that writes nothing, such as a check of numbers, has no memory to be in. */
  @Test
  void operands_of_a_call_without_outputs_may_be_anywhere() {
    assertDoesNotThrow(
        () -> Checks.disjoint(new Operands("sum", List.of(X, of(FOREIGN, 4, 8)), List.of())));
  }
}
