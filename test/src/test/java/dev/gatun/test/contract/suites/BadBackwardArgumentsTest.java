package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad arguments of gradients are refused by a message with their numbers. */
final class BadBackwardArgumentsTest {
  private static final Backend CPU = Subjects.CPU;
  private static final Buffer IN = CPU.memory().allocate(1 << 16);
  private static final Buffer OUT = CPU.memory().allocate(1 << 16);
  private static final Operand DY = f32(IN, 0, 4, 8);
  private static final Operand X = f32(IN, 32, 4, 8);
  private static final Operand WEIGHT = f32(IN, 64, 8);
  private static final Operand DX = f32(OUT, 0, 4, 8);
  private static final Operand SUMS = f32(OUT, 32, 8);

  @AfterAll
  static void close() {
    IN.close();
    OUT.close();
  }

  private static Operand f32(Buffer buffer, long offset, long... shape) {
    return new Operand(buffer, offset, DType.F32, shape, Operand.rowMajor(shape));
  }

  private static Operand strided(Buffer buffer, long stride) {
    return new Operand(buffer, 0, DType.F32, new long[] {4, 8}, new long[] {stride, 1});
  }

  private static Operand bf16(Buffer buffer, long... shape) {
    return Operand.of(buffer, DType.BF16, shape);
  }

  private static LayerNormBackward layer(Operand dy, Operand x, Operand added, Operand dx) {
    return new LayerNormBackward(dy, x, null, 0, added, dx, null, null);
  }

  private static RmsNormBackward rms(Operand weight, float shift, float eps, Operand dweight) {
    return new RmsNormBackward(DY, X, weight, shift, eps, null, DX, dweight);
  }

  private static Arguments bad(String message, Supplier<KernelCall> call) {
    return arguments(message, call);
  }

  static Stream<Arguments> norms() {
    return Stream.of(
        bad("layer_norm_backward: dy is missing", () -> layer(null, X, null, DX)),
        bad("layer_norm_backward: x is missing", () -> layer(DY, null, null, DX)),
        bad(
            "layer_norm_backward: dy is I64[4, 8], expected F32, BF16 or F16",
            () -> layer(Operand.of(IN, DType.I64, 4, 8), X, null, DX)),
        bad("layer_norm_backward: dy is F32[8], expected 2 axes", () -> layer(WEIGHT, X, null, DX)),
        bad(
            "layer_norm_backward: dy F32[4, 8] has strides [9, 1], expected row-major without gaps",
            () -> layer(strided(IN, 9), X, null, DX)),
        bad(
            "layer_norm_backward: x is BF16[4, 8], expected F32",
            () -> layer(DY, bf16(IN, 4, 8), null, DX)),
        bad(
            "layer_norm_backward: x is F32[4, 9], expected shape [4, 8]",
            () -> layer(DY, f32(IN, 0, 4, 9), null, DX)),
        bad(
            "layer_norm_backward: added is F32[3, 8], expected shape [4, 8]",
            () -> layer(DY, X, f32(IN, 0, 3, 8), DX)),
        bad(
            "layer_norm_backward: dx is F32[4, 7], expected shape [4, 8]",
            () -> layer(DY, X, null, f32(OUT, 0, 4, 7))),
        bad(
            "layer_norm_backward: dx, dweight and dbias are missing, expected one of them",
            () -> layer(DY, X, null, null)),
        bad(
            "layer_norm_backward: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> layer(DY, X, null, X)),
        bad(
            "layer_norm_backward: eps is NaN, expected 0 or more",
            () -> new LayerNormBackward(DY, X, null, Float.NaN, null, DX, null, null)),
        bad(
            "layer_norm_backward: weight is F16[8], expected F32",
            () ->
                new LayerNormBackward(
                    DY, X, Operand.of(IN, DType.F16, 8), 0, null, DX, null, null)),
        bad(
            "layer_norm_backward: dweight is F32[9], expected shape [8]",
            () -> new LayerNormBackward(DY, X, null, 0, null, DX, f32(OUT, 32, 9), null)),
        bad(
            "layer_norm_backward: dbias is BF16[8], expected F32",
            () -> new LayerNormBackward(DY, X, null, 0, null, DX, null, bf16(OUT, 8))),
        bad(
            "layer_norm_backward: outputs F32[8] and F32[8] overlap in memory",
            () -> new LayerNormBackward(DY, X, null, 0, null, DX, SUMS, SUMS)),
        bad("rms_norm_backward: weight is missing", () -> rms(null, 0, 0, SUMS)),
        bad(
            "rms_norm_backward: weight is F32[7], expected shape [8]",
            () -> rms(f32(IN, 0, 7), 0, 0, SUMS)),
        bad(
            "rms_norm_backward: eps is -1.0 and shift 0.0, expected 0 or more, and finite",
            () -> rms(WEIGHT, 0, -1, SUMS)),
        bad(
            "rms_norm_backward: eps is 0.0 and shift NaN, expected 0 or more, and finite",
            () -> rms(WEIGHT, Float.NaN, 0, SUMS)),
        bad(
            "rms_norm_backward: dweight is F32[1], expected shape [8]",
            () -> rms(WEIGHT, 0, 0, f32(OUT, 32, 1))),
        bad(
            "rms_norm_backward: outputs F32[4, 8] and F32[8] overlap in memory",
            () -> rms(WEIGHT, 0, 0, f32(OUT, 8, 8))),
        bad(
            "rms_norm_backward: dx and dweight are missing, expected one of them",
            () -> new RmsNormBackward(DY, X, WEIGHT, 0, 0, null, null, null)),
        bad("softmax_backward: dy is missing", () -> new SoftmaxBackward(null, X, false, DX)),
        bad("softmax_backward: y is missing", () -> new SoftmaxBackward(DY, null, false, DX)),
        bad("softmax_backward: dx is missing", () -> new SoftmaxBackward(DY, X, true, null)),
        bad(
            "softmax_backward: y is F32[8], expected 2 axes",
            () -> new SoftmaxBackward(DY, WEIGHT, false, DX)),
        bad(
            "softmax_backward: dx is BF16[4, 8], expected F32",
            () -> new SoftmaxBackward(DY, X, false, bf16(OUT, 4, 8))),
        bad(
            "softmax_backward: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new SoftmaxBackward(DY, X, false, f32(IN, 8, 4, 8))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("norms")
  void a_bad_argument_is_refused(String message, Supplier<KernelCall> call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::get).getMessage());
  }
}
