package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad arguments of attention's gradients, and gradients that lie side by side. */
final class BadAttentionBackwardTest {
  private static final Backend CPU = Subjects.CPU;
  private static final Buffer IN = CPU.memory().allocate(1 << 14);
  private static final Buffer OUT = CPU.memory().allocate(1 << 14);

  // [batch 2, tokens 3, heads 4, size 5], of two key heads.
  private static final Operand QUERY = f32(IN, 0, 2, 3, 4, 5);
  private static final Operand KEY = f32(IN, 120, 2, 3, 2, 5);
  private static final Operand VALUE = f32(IN, 180, 2, 3, 2, 5);
  private static final Operand OUTPUT = f32(IN, 240, 2, 3, 4, 5);
  private static final Operand LSE = f32(IN, 360, 2, 4, 3);
  private static final Operand D_OUTPUT = f32(IN, 400, 2, 3, 4, 5);
  private static final Operand D_QUERY = f32(OUT, 0, 2, 3, 4, 5);
  private static final Operand D_KEY = f32(OUT, 120, 2, 3, 2, 5);
  private static final Operand D_VALUE = f32(OUT, 180, 2, 3, 2, 5);
  private static final AttentionScores SCALED = AttentionScores.scaled(1);

  @AfterAll
  static void close() {
    IN.close();
    OUT.close();
  }

  private static Operand f32(Buffer buffer, long offset, long... shape) {
    return new Operand(buffer, offset, DType.F32, shape, Operand.rowMajor(shape));
  }

  private static ScaledDotProductAttention forward(
      AttentionKeys keys, AttentionScores scores, Operand lse) {
    return new ScaledDotProductAttention(
        QUERY, KEY, VALUE, OUTPUT, null, keys, scores, AttentionMask.NONE, Dropout.NONE, lse, null);
  }

  private static AttentionBackward of(
      ScaledDotProductAttention forward, Operand doutput, Operand dquery, Operand dkey) {
    return new AttentionBackward(forward, doutput, null, null, dquery, dkey, D_VALUE, null, null);
  }

  private static AttentionBackward of(Operand doutput, Operand dquery, Operand dkey) {
    return of(forward(AttentionKeys.PADDED, SCALED, LSE), doutput, dquery, dkey);
  }

  private static AttentionBackward also(
      Operand dlse, Operand dweights, Operand dbias, Operand dsinks) {
    return new AttentionBackward(
        forward(AttentionKeys.PADDED, SCALED, LSE),
        D_OUTPUT,
        dlse,
        dweights,
        D_QUERY,
        D_KEY,
        D_VALUE,
        dbias,
        dsinks);
  }

  private static AttentionKeys paged() {
    Operand table = new Operand(IN, 900, DType.I32, new long[] {2, 1}, new long[] {1, 1});
    Operand lengths = new Operand(IN, 910, DType.I32, new long[] {2}, new long[] {1});
    return AttentionKeys.paged(Indices.unchecked(table), new Lengths(lengths, 3));
  }

  private static Arguments bad(String message, Supplier<AttentionBackward> call) {
    return arguments("attention_backward: " + message, call);
  }

  static Stream<Arguments> calls() {
    return Stream.of(
        bad("forward is missing", () -> of(null, D_OUTPUT, D_QUERY, D_KEY)),
        bad(
            "lse is missing, expected that which attention gave",
            () -> of(forward(AttentionKeys.PADDED, SCALED, null), D_OUTPUT, D_QUERY, D_KEY)),
        bad(
            "keys lie in pages, expected neither pages nor scales",
            () -> of(forward(paged(), SCALED, LSE), D_OUTPUT, D_QUERY, D_KEY)),
        bad("doutput is missing", () -> of(null, D_QUERY, D_KEY)),
        bad("dquery is missing", () -> of(D_OUTPUT, null, D_KEY)),
        bad("dkey is missing", () -> of(D_OUTPUT, D_QUERY, null)),
        bad(
            "doutput is F32[2, 3, 2, 5], expected shape [2, 3, 4, 5]",
            () -> of(KEY, D_QUERY, D_KEY)),
        bad(
            "dkey is F32[2, 3, 4, 5], expected shape [2, 3, 2, 5]",
            () -> of(D_OUTPUT, D_QUERY, D_QUERY)),
        bad(
            "dquery is BF16[2, 3, 4, 5], expected F32",
            () -> of(D_OUTPUT, Operand.of(OUT, DType.BF16, 2, 3, 4, 5), D_KEY)),
        bad(
            "last axis of F32[2, 3, 4, 5] has strides [60, 20, 1, 4], expected the last to be 1",
            () ->
                of(
                    D_OUTPUT,
                    new Operand(
                        OUT, 0, DType.F32, new long[] {2, 3, 4, 5}, new long[] {60, 20, 1, 4}),
                    D_KEY)),
        bad(
            "outputs F32[2, 3, 4, 5] and F32[2, 3, 2, 5] overlap in memory",
            () -> of(D_OUTPUT, D_QUERY, f32(OUT, 100, 2, 3, 2, 5))),
        bad(
            "output F32[2, 3, 4, 5] overlaps input F32[2, 3, 4, 5] in memory",
            () -> of(D_OUTPUT, QUERY, D_KEY)),
        bad(
            "dlse is F32[2, 3, 4], expected shape [2, 4, 3]",
            () -> also(f32(IN, 600, 2, 3, 4), null, null, null)),
        bad(
            "dweights is F32[2, 4, 3, 4], expected shape [2, 4, 3, 3]",
            () -> also(null, f32(IN, 600, 2, 4, 3, 4), null, null)),
        bad(
            "dbias is F32[1, 1, 3, 3], but there is no bias",
            () -> also(null, null, f32(OUT, 300, 1, 1, 3, 3), null)),
        bad(
            "dsinks is F32[4], but there are no sinks",
            () -> also(null, null, null, f32(OUT, 300, 4))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void a_bad_argument_is_refused(String message, Supplier<AttentionBackward> call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::get).getMessage());
  }

  /** Rows of 40: a query's 20, a key's 10, a value's 10. */
  @Test
  void gradients_may_be_slices_of_one_matrix() {
    float[] numbers = new float[520];
    Random random = new Random(1);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    CPU.memory().write(MemorySegment.ofArray(numbers), IN, 0);
    CPU.kernels().run(forward(AttentionKeys.PADDED, SCALED, LSE));
    CPU.kernels().run(of(D_OUTPUT, D_QUERY, D_KEY));
    float[] apart = floats(240);
    Operand query = slice(0, 4);
    AttentionBackward beside =
        new AttentionBackward(
            forward(AttentionKeys.PADDED, SCALED, LSE),
            D_OUTPUT,
            null,
            null,
            query,
            slice(20, 2),
            slice(30, 2),
            null,
            null);
    CPU.kernels().run(beside);
    float[] together = floats(240);
    float[] expected = new float[240];
    for (int token = 0; token < 6; token++) {
      System.arraycopy(apart, token * 20, expected, token * 40, 20);
      System.arraycopy(apart, 120 + token * 10, expected, token * 40 + 20, 10);
      System.arraycopy(apart, 180 + token * 10, expected, token * 40 + 30, 10);
    }
    assertArrayEquals(expected, together);
  }

  private static Operand slice(long offset, long heads) {
    return new Operand(
        OUT, offset, DType.F32, new long[] {2, 3, heads, 5}, new long[] {120, 40, 5, 1});
  }

  private static float[] floats(int count) {
    float[] all = new float[count];
    MemorySegment segment = MemorySegment.ofArray(all);
    CPU.memory().read(OUT, 0, segment);
    return all;
  }

  /** An axis of no elements may have a stride of 0, as one that a bias is repeated on has it. */
  @Test
  void a_bias_of_no_elements_has_no_gradient_to_write() {
    Operand keys = f32(IN, 120, 2, 0, 2, 5);
    Operand bias = f32(IN, 500, 1, 1, 3, 0);
    ScaledDotProductAttention forward =
        new ScaledDotProductAttention(
            QUERY,
            keys,
            keys,
            OUTPUT,
            null,
            AttentionKeys.PADDED,
            new AttentionScores(1, 0, bias, null, null),
            AttentionMask.NONE,
            Dropout.NONE,
            LSE,
            null);
    CPU.memory().fill(OUT, 0, OUT.byteSize(), (byte) 1);
    Operand dkeys = f32(OUT, 120, 2, 0, 2, 5);
    Operand dbias =
        new Operand(OUT, 300, DType.F32, new long[] {1, 1, 3, 0}, new long[] {0, 0, 0, 0});
    CPU.kernels()
        .run(
            new AttentionBackward(
                forward, D_OUTPUT, null, null, D_QUERY, dkeys, dkeys, dbias, null));
    int[] after = new int[3];
    CPU.memory().read(OUT, 300 * Float.BYTES, MemorySegment.ofArray(after));
    assertArrayEquals(new int[] {0x01010101, 0x01010101, 0x01010101}, after);
  }
}
