package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad arguments of gradients are refused before any native call, by a message with the numbers. */
final class BadBackwardArgumentsTest {
  private static final Buffer BUFFER = Subjects.CPU.memory().allocate(1 << 14);

  @AfterAll
  static void close() {
    BUFFER.close();
  }

  private static Operand at(long offset, DType dtype, long... shape) {
    return new Operand(BUFFER, offset, dtype, shape, Operand.rowMajor(shape));
  }

  private static Operand at(long offset) {
    return at(offset, DType.F32, 4, 8);
  }

  private static Indices targets(long count) {
    return Indices.unchecked(at(1000, DType.I64, count));
  }

  private static Object loss(
      Operand weights, float smoothing, float zLoss, float scale, Operand dlogits, Operand loss) {
    return new CrossEntropyBackward(
        at(0), targets(4), weights, -100, smoothing, zLoss, scale, dlogits, loss);
  }

  private static Arguments bad(String message, Supplier<Object> making) {
    return Arguments.of(message, making);
  }

  static Stream<Arguments> calls() {
    Activation gelu = Activation.GELU;
    Operand turned = new Operand(BUFFER, 400, DType.F32, new long[] {4, 8}, new long[] {1, 4});
    Operand folded = new Operand(BUFFER, 400, DType.F32, new long[] {4, 8}, new long[] {4, 1});
    return Stream.of(
        bad(
            "activation_backward: x is F32[4, 7], expected shape [4, 8]",
            () -> new ActivationBackward(at(0), at(64, DType.F32, 4, 7), gelu, at(128))),
        bad(
            "activation_backward: dx is BF16[4, 8], expected F32",
            () -> new ActivationBackward(at(0), at(64), gelu, at(400, DType.BF16, 4, 8))),
        bad(
            "activation_backward: activation is missing",
            () -> new ActivationBackward(at(0), at(64), null, at(128))),
        bad(
            "activation_backward: dy F32[4, 8] has strides [1, 4], expected row-major",
            () -> new ActivationBackward(turned, at(64), gelu, at(128))),
        bad(
            "activation_backward: output F32[4, 8] overlaps input",
            () -> new ActivationBackward(at(0), at(64), gelu, at(65))),
        bad(
            "gated_activation_backward: up is missing",
            () -> new GatedActivationBackward(at(0), at(64), null, gelu, at(128), at(192))),
        bad(
            "gated_activation_backward: gate F32[4, 8] has strides [1, 4], expected the last",
            () -> new GatedActivationBackward(at(0), turned, at(64), gelu, at(128), at(192))),
        bad(
            "gated_activation_backward: dup F32[4, 8] has overlapping rows, stride 4",
            () -> new GatedActivationBackward(at(0), at(64), at(96), gelu, at(128), folded)),
        bad(
            "gated_activation_backward: outputs F32[4, 8] and F32[4, 8] overlap",
            () -> new GatedActivationBackward(at(0), at(64), at(96), gelu, at(128), at(128))),
        bad(
            "dropout: y is F32[4, 7], expected shape [4, 8]",
            () -> new DropElements(at(0), new Dropout(0.1f, 1), at(64, DType.F32, 4, 7))),
        bad("dropout: dropout is missing", () -> new DropElements(at(0), null, at(64))),
        bad(
            "cross_entropy_backward: dlogits and loss are missing, expected one of them",
            () -> loss(null, 0, 0, 1, null, null)),
        bad(
            "cross_entropy_backward: weights is F32[4, 8], expected 1 axes",
            () -> loss(at(64), 0, 0, 1, at(128), null)),
        bad(
            "cross_entropy_backward: loss is F32[3], expected shape [4]",
            () -> loss(null, 0, 0, 1, null, at(64, DType.F32, 3))),
        bad(
            "cross_entropy_backward: smoothing is 1.5, expected 0 to 1",
            () -> loss(null, 1.5f, 0, 1, at(128), null)),
        bad(
            "cross_entropy_backward: z-loss is -1.0, expected 0 or a positive number",
            () -> loss(null, 0, -1, 1, at(128), null)),
        bad(
            "cross_entropy_backward: scale is NaN, expected a finite number",
            () -> loss(null, 0, 0, Float.NaN, at(128), null)),
        bad(
            "cross_entropy_backward: dlogits is F32[4, 7], expected shape [4, 8]",
            () -> loss(null, 0, 0, 1, at(128, DType.F32, 4, 7), null)),
        bad(
            "batched_matmul: c is BF16[1, 4, 4], expected F32 to add to",
            () ->
                new BatchedMatmul(
                    at(0, DType.BF16, 1, 4, 8),
                    at(64, DType.BF16, 1, 4, 8),
                    at(128, DType.BF16, 1, 4, 4),
                    true)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void is_refused(String message, Supplier<Object> making) {
    String got = assertThrows(IllegalArgumentException.class, making::get).getMessage();
    assertTrue(got.contains(message), () -> got + "\nshould contain: " + message);
  }

  static Stream<Backend> backends() {
    return Stream.of(Subjects.CPU, Subjects.EXACT);
  }

  @ParameterizedTest
  @MethodSource("backends")
  void targets_outside_of_the_columns_are_refused(Backend backend) {
    try (Buffer logits = backend.memory().allocate(4 * 32);
        Buffer targets = backend.memory().allocate(8 * 4);
        Buffer loss = backend.memory().allocate(4 * 4)) {
      for (long target : new long[] {-1, 8, Long.MIN_VALUE, Long.MAX_VALUE}) {
        backend.memory().write(MemorySegment.ofArray(new long[] {0, -100, target, 1}), targets, 0);
        CrossEntropyBackward call =
            new CrossEntropyBackward(
                Operand.of(logits, DType.F32, 4, 8),
                Indices.unchecked(Operand.of(targets, DType.I64, 4)),
                null,
                -100,
                0,
                0,
                1,
                null,
                Operand.of(loss, DType.F32, 4));
        assertEquals(
            "cross_entropy_backward: target %d at 2 is outside of 0 to 7".formatted(target),
            assertThrows(IllegalArgumentException.class, () -> backend.kernels().run(call))
                .getMessage());
      }
    }
  }
}
