package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import dev.gatun.bindings.generated.cpu.gatun_factored_parameter;
import dev.gatun.bindings.generated.cpu.gatun_parameter;
import dev.gatun.bindings.generated.cpu.gatun_range;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The functions of {@code gatun_cpu.h} with arguments that are wrong only together, or by what
 * memory holds, on every level. No wrapper calls them so.
 */
final class NativeCombinationsTest {
  private static final MemorySegment NONE = MemorySegment.NULL;
  private static final int F32 = gatun_cpu_h.GATUN_DTYPE_F32();

  private Arena arena;
  private MemorySegment zeros;

  static Stream<CpuLevel> levels() {
    return Subjects.levels().stream();
  }

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  @BeforeEach
  void open() {
    arena = Arena.ofConfined();
    zeros = arena.allocate(1 << 14, 64);
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @MethodSource("levels")
  void an_axis_has_no_negative_length(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    MemorySegment copied = longs(2, -1, 1, 1, 1, 1);
    isWrong(gatun_cpu_h.gatun_copy(NONE, zeros, zeros, 4, 2, copied));
    MemorySegment added = longs(-1, 1, 1, 1);
    isWrong(gatun_cpu_h.gatun_elementwise(NONE, zeros, zeros, zeros, F32, 0, 1, added));
    isWrong(gatun_cpu_h.gatun_unary(NONE, zeros, zeros, F32, 0, 1, added));
    isWrong(gatun_cpu_h.gatun_compare(NONE, zeros, zeros, zeros, F32, 0, 1, added));
    MemorySegment chosen = longs(-1, 1, 1, 1, 1);
    isWrong(gatun_cpu_h.gatun_where(NONE, zeros, zeros, zeros, zeros, 4, 1, chosen));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void sequences_of_experts_rise_from_the_first_token_to_the_last(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    isRight(route(2, 0, 1, 2));
    isRight(route(1, 0, 2));
    isWrong(route(-1, 0));
    isWrong(route(1, 1, 2));
    isWrong(route(1, 0, 1));
    isWrong(route(3, 0, 2, 1, 2));
  }

  /** Two tokens over two experts, of which each may take one token a sequence. */
  private int route(long count, int... sequences) {
    MemorySegment into = arena.allocate(256, 64);
    return gatun_cpu_h.gatun_expert_routing(
        NONE,
        zeros,
        F32,
        2,
        2,
        2,
        1,
        0,
        1f,
        1,
        ints(sequences),
        count,
        into,
        into.asSlice(64),
        into.asSlice(128),
        into.asSlice(160),
        into.asSlice(192));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void places_of_experts_are_rows_or_none(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    isRight(combine(-1, 2));
    isWrong(combine(-2, 2));
    isWrong(combine(0, 3));
  }

  private int combine(int... places) {
    return gatun_cpu_h.gatun_expert_combine(
        NONE, zeros, F32, 1, 3, zeros, ints(places), NONE, 1, arena.allocate(64), F32, 1, 1, 2, 1);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void a_norm_has_results(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    isRight(layerNorm(NONE, NONE, 0));
    isWrong(layerNorm(NONE, NONE, 1));
    isRight(layerNorm(zeros, NONE, 1));
    isRight(layerNorm(NONE, zeros, 1));
    isRight(rmsNorm(NONE, NONE, 0));
    isWrong(rmsNorm(NONE, NONE, 1));
    isRight(rmsNorm(zeros, NONE, 1));
    isRight(rmsNorm(NONE, zeros, 1));
  }

  private int layerNorm(MemorySegment y, MemorySegment codes, long rows) {
    return gatun_cpu_h.gatun_layer_norm(
        NONE, zeros, NONE, NONE, NONE, y, NONE, F32, F32, rows, 3, 1e-5f, codes, 3, zeros, NONE, 0);
  }

  private int rmsNorm(MemorySegment y, MemorySegment codes, long rows) {
    return gatun_cpu_h.gatun_rms_norm(
        NONE, zeros, NONE, zeros, y, NONE, F32, F32, rows, 3, 0f, 1e-5f, codes, 3, zeros, NONE, 0);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void parameters_have_no_negative_count(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    MemorySegment range = gatun_range.allocate(arena);
    gatun_range.first(range, zeros);
    gatun_range.count(range, -1);
    isWrong(gatun_cpu_h.gatun_global_norm(NONE, range, 1, 1f, NONE, zeros));
    MemorySegment parameter = gatun_parameter.allocate(arena);
    gatun_parameter.count(parameter, -1);
    isWrong(
        gatun_cpu_h.gatun_optimizer_step(
            NONE, parameter, 1, gatun_cpu_h.GATUN_UPDATE_SGD(), F32, 1f, NONE, 1f));
    MemorySegment factored = gatun_factored_parameter.allocate(arena);
    gatun_factored_parameter.rows(factored, -1);
    isWrong(gatun_cpu_h.gatun_adafactor_step(NONE, factored, 1, F32, 1f, NONE, 1f));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void codes_of_tokens_are_for_products_with_codes(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    int sum = gatun_cpu_h.GATUN_SCALES_F32_SUM();
    int plain = gatun_cpu_h.GATUN_SCALES_F32();
    int perToken = gatun_cpu_h.GATUN_ACTIVATIONS_INT8_PER_TOKEN();
    isRight(product(zeros, zeros, 8, 16, sum, perToken, 16));
    isRight(product(zeros, NONE, 8, 16, plain, perToken, 16));
    isWrong(product(zeros, zeros, 8, 16, plain, perToken, 16));
    isWrong(product(zeros, NONE, 8, 16, sum, gatun_cpu_h.GATUN_ACTIVATIONS_EXACT(), 16));
    isWrong(product(zeros, NONE, 8, 16, sum, gatun_cpu_h.GATUN_ACTIVATIONS_INT8_BLOCKS(), 16));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void groups_divide_the_depth_and_fill_words(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    int scales = gatun_cpu_h.GATUN_SCALES_F32();
    int exact = gatun_cpu_h.GATUN_ACTIVATIONS_EXACT();
    isRight(product(NONE, NONE, 8, 16, scales, exact, 32));
    isRight(product(NONE, NONE, 4, 16, scales, exact, 32));
    isWrong(product(NONE, NONE, 8, 16, scales, exact, 40));
    isWrong(product(NONE, NONE, 4, 20, scales, exact, 40));
    isRight(product(NONE, NONE, 8, 20, scales, exact, 40));
    isRight(product(NONE, NONE, 5, 32, scales, exact, 64));
    isWrong(product(NONE, NONE, 5, 16, scales, exact, 64));
    isRight(product(NONE, NONE, 6, 16, scales, exact, 32));
    isWrong(product(NONE, NONE, 6, 24, scales, exact, 48));
    isWrong(product(NONE, NONE, 7, 32, scales, exact, 64));
    int shared = gatun_cpu_h.GATUN_SCALES_F16_BYTE_MIN();
    isRight(product(NONE, NONE, 4, 32, shared, exact, 512));
    isWrong(product(NONE, NONE, 4, 32, shared, exact, 288));
    isWrong(product(NONE, NONE, 4, 48, shared, exact, 768));
    isWrong(product(NONE, NONE, 8, 8, shared, exact, 256));
    isWrong(product(NONE, NONE, 8, 0, shared, exact, 512));
    isWrong(product(NONE, NONE, 8, 32, shared + 1, exact, 256));
  }

  /** A product of a token with a feature; all numbers are 0. */
  private int product(
      MemorySegment codeScales,
      MemorySegment codeOffsets,
      int bits,
      long group,
      int scales,
      int activations,
      long k) {
    return gatun_cpu_h.gatun_quantized_matmul(
        NONE,
        zeros,
        F32,
        k,
        codeScales,
        codeOffsets,
        0,
        zeros,
        bits,
        group,
        scales,
        activations,
        NONE,
        NONE,
        0,
        arena.allocate(64),
        F32,
        1,
        1,
        1,
        k,
        0);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void blocks_have_the_sizes_of_their_format(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    for (BlockFormat.Kind kind : BlockFormat.Kind.values()) {
      for (int block : new int[] {16, 32, 48, 64, 96, 128, 192, 256, 512}) {
        List<Integer> right =
            switch (kind) {
              case INT8 -> List.of(16, 32, 64, 128);
              case INT8_ZERO, INT4, INT4_ZERO -> List.of(32, 64, 128);
              case Q4_K, Q5_K, Q6_K, Q2_K, Q3_K, IQ4_XS -> List.of(256);
              default -> List.of(32);
            };
        int expected =
            right.contains(block) ? gatun_cpu_h.GATUN_OK() : gatun_cpu_h.GATUN_INVALID_ARGUMENT();
        MemorySegment blocks = arena.allocate(4096);
        int made =
            gatun_cpu_h.gatun_quantize(
                NONE, zeros, F32, block, 1, 1, block, kind.ordinal(), block, blocks);
        assertEquals(expected, made, kind + " in blocks of " + block);
      }
    }
  }

  /** Rows without elements have no blocks, whatever a block's size is. */
  @ParameterizedTest
  @MethodSource("levels")
  void rows_without_elements_have_no_blocks(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    for (long block : new long[] {0, 32}) {
      isRight(gatun_cpu_h.gatun_quantize(NONE, NONE, F32, 0, 1, 3, 0, 0, block, NONE));
      isRight(gatun_cpu_h.gatun_dequantize(NONE, NONE, 0, 3, 0, 0, block, NONE));
      isRight(gatun_cpu_h.gatun_quantized_pack(NONE, NONE, 0, 3, 0, 0, block, NONE));
    }
  }

  @ParameterizedTest
  @MethodSource("levels")
  void blocks_of_scales_that_are_not_finite_are_not_packed(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    short nan = Float.floatToFloat16(Float.NaN);
    short infinite = Float.floatToFloat16(Float.POSITIVE_INFINITY);
    assertEquals(gatun_cpu_h.GATUN_OK(), packed((short) 0, (short) 0));
    assertEquals(gatun_cpu_h.GATUN_NOT_FINITE(), packed(nan, (short) 0));
    assertEquals(gatun_cpu_h.GATUN_NOT_FINITE(), packed((short) 0, infinite));
  }

  /** Packs a block of Q4_1 behind a row that is in order. */
  private int packed(short scale, short min) {
    MemorySegment blocks = arena.allocate(2 * 20);
    blocks.set(ValueLayout.JAVA_SHORT, 20, scale);
    blocks.set(ValueLayout.JAVA_SHORT, 22, min);
    return gatun_cpu_h.gatun_quantized_pack(
        NONE, blocks, 20, 2, 32, gatun_cpu_h.GATUN_BLOCKS_Q4_1(), 32, arena.allocate(4096));
  }

  /** The exponents are those of the OCP's E8M0: 2^(e - 127), and 255 is no number. */
  @ParameterizedTest
  @MethodSource("levels")
  void mxfp4_has_all_exponents(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    // The lower codes of a byte are the first half of a block: 0.5 is code 1, -6 is code 15.
    MemorySegment blocks = arena.allocate(256 * 17);
    for (int e = 0; e < 256; e++) {
      blocks.set(ValueLayout.JAVA_BYTE, e * 17L, (byte) e);
      blocks.set(ValueLayout.JAVA_BYTE, e * 17L + 1, (byte) 0xf1);
    }
    MemorySegment floats = arena.allocate(256 * 32 * 4, 64);
    isRight(
        gatun_cpu_h.gatun_dequantize(
            NONE, blocks, 17, 256, 32, gatun_cpu_h.GATUN_BLOCKS_MXFP4(), 32, floats));
    float[] half = new float[256];
    float[] six = new float[256];
    float[] expectedHalf = new float[256];
    float[] expectedSix = new float[256];
    for (int e = 0; e < 256; e++) {
      double scale = e == 255 ? Double.NaN : Math.scalb(1.0, e - 127);
      half[e] = floats.getAtIndex(ValueLayout.JAVA_FLOAT, e * 32L);
      six[e] = floats.getAtIndex(ValueLayout.JAVA_FLOAT, e * 32L + 16);
      expectedHalf[e] = (float) (0.5 * scale);
      expectedSix[e] = (float) (-6 * scale);
    }
    assertArrayEquals(expectedHalf, half);
    assertArrayEquals(expectedSix, six);
  }

  private static void isRight(int status) {
    assertEquals(gatun_cpu_h.GATUN_OK(), status);
  }

  private static void isWrong(int status) {
    assertEquals(gatun_cpu_h.GATUN_INVALID_ARGUMENT(), status);
  }

  private MemorySegment ints(int... values) {
    return arena.allocateFrom(ValueLayout.JAVA_INT, values);
  }

  private MemorySegment longs(long... values) {
    return arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }
}
