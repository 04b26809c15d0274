package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad arguments of mixtures of experts are refused by a message with their numbers. */
final class BadExpertArgumentsTest {
  private static final Backend CPU = Subjects.CPU;
  private static final Buffer BUFFER = CPU.memory().allocate(1 << 16);
  private static final Buffer INTS = CPU.memory().allocate(1 << 12);
  private static final Buffer RESULT = CPU.memory().allocate(1 << 12);
  private static final BlockFormat INT4 = BlockFormat.int4(32);

  @AfterAll
  static void close() {
    BUFFER.close();
    INTS.close();
    RESULT.close();
  }

  private static Operand f32(Buffer buffer, long offset, long... shape) {
    return new Operand(buffer, offset, DType.F32, shape, Operand.rowMajor(shape));
  }

  private static Operand i32(Buffer buffer, long offset, long... shape) {
    return new Operand(buffer, offset, DType.I32, shape, Operand.rowMajor(shape));
  }

  /** Four tokens, three experts, and k of these. */
  private static ExpertRouting routing(
      Operand logits, float scale, ExpertCapacity capacity, long k, Operand weights, long rows) {
    return new ExpertRouting(
        logits,
        true,
        scale,
        capacity,
        i32(INTS, 0, 4, k),
        weights,
        i32(INTS, 64, rows),
        i32(INTS, 128, 4, k),
        i32(INTS, 256, 4));
  }

  private static ExpertRouting routing(ExpertCapacity capacity, float scale, long k) {
    return routing(f32(BUFFER, 0, 4, 3), scale, capacity, k, f32(RESULT, 0, 4, k), 4 * k);
  }

  private static GroupedMatmul grouped(Operand x, Operand rows, Operand offsets, Operand bias) {
    Operand packed = f32(BUFFER, 1024, 3 * MatmulPack.packedCount(DType.F32, 5, 8));
    return new GroupedMatmul(x, rows, offsets, packed, bias, Activation.NONE, f32(RESULT, 0, 6, 5));
  }

  private static GroupedQuantizedMatmul quantized(long in, long bytes) {
    return new GroupedQuantizedMatmul(
        INT4.layout(),
        QuantizedActivations.EXACT,
        f32(BUFFER, 0, 6, in),
        null,
        i32(INTS, 0, 4),
        new Operand(BUFFER, 8192, DType.U8, new long[] {bytes}, new long[] {1}),
        null,
        Activation.NONE,
        f32(RESULT, 0, 6, 5));
  }

  private static ExpertCombine combine(Operand places, Operand residual, Operand y) {
    return new ExpertCombine(f32(BUFFER, 0, 6, 5), f32(BUFFER, 64, 4, 2), places, residual, y);
  }

  static Stream<Arguments> bad() {
    Operand x = f32(BUFFER, 0, 6, 8);
    Operand tokens = f32(BUFFER, 0, 2, 8);
    Operand rows = i32(INTS, 0, 6);
    Operand offsets = i32(INTS, 64, 4);
    Operand places = i32(INTS, 0, 4, 2);
    Operand y = f32(RESULT, 0, 4, 5);
    return Stream.of(
        bad(
            "expert_routing: k is 4, expected 1 to the experts of logits F32[4, 3]",
            () -> routing(null, 1, 4)),
        bad("expert_routing: k is 0, expected 1 to", () -> routing(null, 1, 0)),
        bad(
            "expert_routing: scale is NaN, expected a finite number",
            () -> routing(null, Float.NaN, 2)),
        bad(
            "expert_routing: the sequences of the capacity have 5 tokens, expected those of logits"
                + " F32[4, 3]",
            () -> routing(new ExpertCapacity(2, offsets(2, 5, 3)), 1, 2)),
        bad(
            "expert capacity: 0 tokens, expected 1 or more",
            () -> new ExpertCapacity(0, offsets(1, 4, 4))),
        bad("expert capacity: sequences is missing", () -> new ExpertCapacity(1, null)),
        bad(
            "expert_routing: weights is F32[4, 3], expected shape [4, 2]",
            () -> routing(f32(BUFFER, 0, 4, 3), 1, null, 2, f32(RESULT, 0, 4, 3), 8)),
        bad(
            "expert_routing: rows is I32[9], expected shape [8]",
            () -> routing(f32(BUFFER, 0, 4, 3), 1, null, 2, f32(RESULT, 0, 4, 2), 9)),
        bad(
            "expert_routing: output F32[4, 2] overlaps input F32[4, 3] in memory",
            () -> routing(f32(BUFFER, 0, 4, 3), 1, null, 2, f32(BUFFER, 4, 4, 2), 8)),
        bad(
            "expert_routing: logits is I32[4, 3], expected F32, BF16 or F16",
            () -> routing(i32(BUFFER, 0, 4, 3), 1, null, 2, f32(RESULT, 0, 4, 2), 8)),
        bad(
            "grouped_matmul: offsets is I32[1], expected one more than experts",
            () -> grouped(x, null, i32(INTS, 0, 1), null)),
        bad(
            "grouped_matmul: packed is F32[768], expected shape [1024]",
            () -> grouped(x, null, i32(INTS, 0, 5), null)),
        bad(
            "grouped_matmul: y is F32[6, 5], expected shape [2, 5]",
            () -> grouped(tokens, null, offsets, null)),
        bad(
            "grouped_matmul: rows is I32[5], expected shape [6]",
            () -> grouped(tokens, i32(INTS, 0, 5), offsets, null)),
        bad(
            "grouped_matmul: bias is F32[2, 5], expected shape [3, 5]",
            () -> grouped(x, null, offsets, f32(BUFFER, 512, 2, 5))),
        bad(
            "grouped_matmul: x is BF16[6, 8], expected F32",
            () -> grouped(Operand.of(BUFFER, DType.BF16, 6, 8), rows, offsets, null)),
        bad("grouped_matmul: offsets is missing", () -> grouped(x, null, null, null)),
        bad(
            "grouped_quantized_matmul: groups of 32 do not divide the input features of x"
                + " F32[6, 48]",
            () -> quantized(48, 3 * INT4.layout().packedBytes(5, 64))),
        bad(
            "grouped_quantized_matmul: packed is U8[7], expected shape [3456]",
            () -> quantized(64, 7)),
        bad(
            "expert_combine: places is I32[4, 3], expected shape [4, 2]",
            () -> combine(i32(INTS, 0, 4, 3), null, y)),
        bad(
            "expert_combine: residual is F32[4, 6], expected shape [4, 5]",
            () -> combine(places, f32(BUFFER, 128, 4, 6), y)),
        bad(
            "expert_combine: output F32[4, 5] overlaps input F32[4, 5] in memory",
            () -> combine(places, f32(RESULT, 1, 4, 5), y)),
        bad(
            "expert_combine: y is F32[3, 5], expected shape [4, 5]",
            () -> combine(places, null, f32(RESULT, 0, 3, 5))));
  }

  private static Arguments bad(String message, Supplier<Object> making) {
    return arguments(message, making);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("bad")
  void is_refused(String message, Supplier<Object> making) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, making::get);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(Operand.of(BUFFER, DType.I32, sequences + 1), tokens, longest);
  }

  /** Offsets and rows of six places and two tokens, or places of four tokens' two slots. */
  static Stream<Arguments> data() {
    return Stream.of(
        arguments(
            "grouped_matmul: offset 1 at 0 follows 0, expected offsets from 0 to 6 that never fall",
            new int[] {1, 2, 3, 4, 0, 0, 0, 0, 0, 0}),
        arguments(
            "grouped_matmul: offset 2 at 2 follows 3, expected offsets from 0 to 6 that never fall",
            new int[] {0, 3, 2, 4, 0, 0, 0, 0, 0, 0}),
        arguments(
            "grouped_matmul: offset 7 at 3 follows 3, expected offsets from 0 to 6 that never fall",
            new int[] {0, 3, 3, 7, 0, 0, 0, 0, 0, 0}),
        arguments(
            "grouped_matmul: row 2 at 3 is outside of 0 to 1",
            new int[] {0, 3, 3, 4, 0, 1, 0, 2, 9, 9}),
        arguments(
            "grouped_matmul: row -1 at 0 is outside of 0 to 1",
            new int[] {0, 3, 3, 4, -1, 1, 0, 0, 9, 9}));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("data")
  void numbers_are_refused_before_anything_is_read_by_them(String message, int[] numbers) {
    CPU.memory().write(MemorySegment.ofArray(numbers), INTS, 0);
    GroupedMatmul call = grouped(f32(BUFFER, 0, 2, 8), i32(INTS, 4, 6), i32(INTS, 0, 4), null);
    refused(message, () -> CPU.kernels().run(call));
    refused(message, () -> Subjects.EXACT.kernels().run(onReference(numbers)));
  }

  /** The same call in the memory of the reference. */
  private static GroupedMatmul onReference(int[] numbers) {
    Buffer ints = Subjects.EXACT.memory().allocate(4L * numbers.length);
    Subjects.EXACT.memory().write(MemorySegment.ofArray(numbers), ints, 0);
    Buffer floats = Subjects.EXACT.memory().allocate(1 << 14);
    return new GroupedMatmul(
        f32(floats, 0, 2, 8),
        i32(ints, 4, 6),
        i32(ints, 0, 4),
        f32(floats, 1024, 768),
        null,
        Activation.NONE,
        f32(floats, 2048, 6, 5));
  }

  @ParameterizedTest
  @ValueSource(ints = {-2, 6, Integer.MAX_VALUE})
  void a_place_that_is_none_is_refused(int place) {
    CPU.memory().write(MemorySegment.ofArray(new int[] {0, 1, -1, 5, 0, place, 0, 0}), INTS, 0);
    ExpertCombine call = combine(i32(INTS, 0, 4, 2), null, f32(RESULT, 0, 4, 5));
    refused(
        "expert_combine: place %d at 5 is outside of -1 to 5".formatted(place),
        () -> CPU.kernels().run(call));
  }

  private static void refused(String message, Runnable run) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, run::run).getMessage());
  }
}
