package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.test.contract.frame.Subjects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad arguments of quantised weights are refused by a message with their numbers. */
final class BadQuantizedArgumentsTest {
  private static final Backend CPU = Subjects.CPU;
  private static final Buffer BUFFER = CPU.memory().allocate(1 << 20);
  private static final Buffer OTHER = CPU.memory().allocate(1 << 16);
  private static final Buffer RESULT = CPU.memory().allocate(64);
  private static final BlockFormat INT4 = BlockFormat.int4(32);
  private static final PackedLayout LAYOUT = INT4.layout();

  @AfterAll
  static void close() {
    BUFFER.close();
    OTHER.close();
    RESULT.close();
  }

  private static Operand f32(Buffer buffer, long... shape) {
    return Operand.of(buffer, DType.F32, shape);
  }

  private static Operand scales(long count) {
    return f32(BUFFER, count);
  }

  private static Operand bytes(Buffer buffer, long... shape) {
    return Operand.of(buffer, DType.U8, shape);
  }

  private static QuantizedMatmul matmul(PackedLayout layout, Operand x, Operand packed, Operand y) {
    return new QuantizedMatmul(
        layout, QuantizedActivations.EXACT, x, packed, null, Activation.NONE, y);
  }

  private static QuantizedMatmul added(Operand residual, Operand y) {
    return new QuantizedMatmul(
        LAYOUT,
        QuantizedActivations.EXACT,
        f32(OTHER, 2, 64),
        null,
        bytes(BUFFER, LAYOUT.packedBytes(3, 64)),
        null,
        Activation.NONE,
        residual,
        y);
  }

  private static QuantizedMatmul coded(
      PackedLayout layout, QuantizedActivations activations, Operand scales, Operand offsets) {
    return new QuantizedMatmul(
        layout,
        activations,
        Operand.of(OTHER, DType.I8, 2, 64),
        new ActivationCodes(scales, offsets),
        bytes(BUFFER, layout.packedBytes(3, 64)),
        null,
        Activation.NONE,
        null,
        f32(RESULT, 2, 3));
  }

  private static BlockMatmul blocks(BlockFormat format, Operand x, Operand blocks, Operand y) {
    return new BlockMatmul(
        format, QuantizedActivations.INT8_PER_TOKEN, x, blocks, null, Activation.NONE, y);
  }

  /** Four rows of 16 in OTHER to codes in RESULT. */
  private static QuantizeTokens tokens(Operand codes, Operand scales, boolean calibrated) {
    return new QuantizeTokens(
        f32(OTHER, 4, 16), new TokenCodes(codes, new ActivationCodes(scales, null), calibrated));
  }

  static Stream<Arguments> bad() {
    Operand x = f32(OTHER, 2, 64);
    Operand packed = bytes(BUFFER, LAYOUT.packedBytes(3, 64));
    Operand y = f32(RESULT, 2, 3);
    return Stream.of(
        bad(
            "groups of 32 do not divide the input features of x",
            () -> matmul(LAYOUT, f32(OTHER, 2, 48), packed, y)),
        bad(
            "packed codes of 8 bits with zero points, expected 4 bits",
            () -> new PackedLayout(8, 32, PackedLayout.Scales.F16_ZERO)),
        bad("packed is", () -> matmul(LAYOUT, x, bytes(BUFFER, 7), y)),
        bad("packed is", () -> matmul(BlockFormat.INT8.layout(), x, packed, y)),
        bad("y is", () -> matmul(LAYOUT, x, packed, f32(OTHER, 3, 3))),
        bad("layout is missing", () -> matmul(null, x, packed, y)),
        bad("block_matmul: format is missing", () -> blocks(null, x, bytes(BUFFER, 3, 36), y)),
        bad(
            "block_matmul: blocks is U8[2, 36], expected shape [3, 36]",
            () -> blocks(INT4, x, bytes(BUFFER, 2, 36), y)),
        bad(
            "block_matmul: Q4_K has blocks of 256, which do not divide 64 input features",
            () -> blocks(BlockFormat.Q4_K, x, bytes(BUFFER, 3, 36), y)),
        bad(
            "block_matmul: x is I8[2, 64], expected F32, BF16 or F16",
            () -> blocks(INT4, Operand.of(OTHER, DType.I8, 2, 64), bytes(BUFFER, 3, 36), y)),
        bad(
            "block_matmul: y is F32[3, 3], expected shape [2, 3]",
            () -> blocks(INT4, x, bytes(BUFFER, 3, 36), f32(RESULT, 3, 3))),
        bad(
            "block_matmul: y F32[2, 3] has overlapping rows, stride 2",
            () ->
                blocks(
                    INT4,
                    x,
                    bytes(BUFFER, 3, 36),
                    new Operand(RESULT, 0, DType.F32, new long[] {2, 3}, new long[] {2, 1}))),
        bad(
            "block_matmul: x F32[1, 131080] has more than 131072 input features, whose products"
                + " overflow",
            () ->
                blocks(
                    BlockFormat.INT8,
                    f32(BUFFER, 1, 131_080),
                    bytes(BUFFER, 1, 131_084),
                    f32(RESULT, 1, 1))),
        bad("overlaps", () -> blocks(INT4, x, bytes(BUFFER, 3, 36), f32(OTHER, 2, 3))),
        bad("overlaps", () -> matmul(LAYOUT, x, packed, f32(OTHER, 2, 3))),
        bad(
            "x is I8[2, 64], expected F32, BF16 or F16",
            () -> matmul(LAYOUT, Operand.of(OTHER, DType.I8, 2, 64), packed, y)),
        bad(
            "x I8[2, 64] is codes, which EXACT does not take",
            () -> coded(LAYOUT, QuantizedActivations.EXACT, scales(2), null)),
        bad(
            "x I8[2, 64] is codes, which INT8_BLOCKS does not take",
            () -> coded(LAYOUT, QuantizedActivations.INT8_BLOCKS, scales(2), null)),
        bad(
            "scales is F32[3], expected shape [2] or [1]",
            () -> coded(LAYOUT, QuantizedActivations.INT8_PER_TOKEN, scales(3), null)),
        bad(
            "codes with offsets F32[2], which a weight with scales F16 has no sums for",
            () -> coded(LAYOUT, QuantizedActivations.INT8_PER_TOKEN, scales(2), scales(2))),
        bad("activation codes: scales is missing", () -> new ActivationCodes(null, null)),
        bad(
            "activation codes: offsets is F32[1], expected shape [2]",
            () -> new ActivationCodes(scales(2), scales(1))),
        bad(
            "token codes: scales is F32[4], expected shape [1]",
            () -> tokens(Operand.of(RESULT, DType.I8, 4, 16), scales(4), true)),
        bad(
            "token codes: scales is F32[1], expected shape [4]",
            () -> tokens(Operand.of(RESULT, DType.I8, 4, 16), scales(1), false)),
        bad(
            "token codes: codes is U8[4, 16], expected I8",
            () -> tokens(bytes(RESULT, 4, 16), scales(4), false)),
        bad(
            "token codes: codes I8[4, 16] has overlapping rows, stride 8",
            () ->
                tokens(
                    new Operand(RESULT, 0, DType.I8, new long[] {4, 16}, new long[] {8, 1}),
                    scales(4),
                    false)),
        bad(
            "quantize_tokens: codes is I8[4, 15], expected shape [4, 16]",
            () -> tokens(Operand.of(RESULT, DType.I8, 4, 15), scales(4), false)),
        bad(
            "quantize_tokens: output I8[4, 16] overlaps input F32[4, 16] in memory",
            () -> tokens(Operand.of(OTHER, DType.I8, 4, 16), scales(4), false)),
        bad("quantize_tokens: codes is missing", () -> new QuantizeTokens(f32(OTHER, 4, 16), null)),
        bad("residual is F32[3, 3], expected shape [2, 3]", () -> added(f32(OTHER, 3, 3), y)),
        bad(
            "residual is BF16[2, 3], expected F32",
            () -> added(Operand.of(OTHER, DType.BF16, 2, 3), y)),
        bad(
            "residual F32[2, 3] has strides [3, 2], expected the last to be 1",
            () -> added(new Operand(OTHER, 0, DType.F32, new long[] {2, 3}, new long[] {3, 2}), y)),
        bad(
            "output F32[2, 3] overlaps input F32[2, 3] in memory",
            () ->
                added(new Operand(RESULT, 1, DType.F32, new long[] {2, 3}, new long[] {3, 1}), y)),
        bad(
            "more than 131072 input features",
            () ->
                new QuantizedMatmul(
                    BlockFormat.INT8.layout(),
                    QuantizedActivations.INT8_PER_TOKEN,
                    f32(BUFFER, 1, 131_076),
                    packed,
                    null,
                    Activation.NONE,
                    f32(OTHER, 1, 1))),
        bad(
            "INT4:32 has blocks of 32, which do not divide 40 input features",
            () -> new Quantize(f32(OTHER, 2, 40), INT4, bytes(BUFFER, 2, 20))),
        bad("blocks is", () -> new Quantize(f32(OTHER, 2, 64), INT4, bytes(BUFFER, 2, 35))),
        bad("overlaps", () -> new Quantize(f32(OTHER, 2, 64), INT4, bytes(OTHER, 2, 36))),
        bad(
            "format is missing",
            () -> new Dequantize(null, bytes(BUFFER, 2, 36), f32(OTHER, 2, 64))),
        bad("blocks is", () -> new Dequantize(INT4, f32(BUFFER, 2, 36), f32(OTHER, 2, 64))),
        bad(
            "in_features is -1",
            () -> new QuantizedPack(INT4, LAYOUT, -1, bytes(BUFFER, 2, 36), packed)),
        bad(
            "packed is",
            () -> new QuantizedPack(INT4, LAYOUT, 64, bytes(OTHER, 2, 36), bytes(BUFFER, 3))));
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

  @Test
  void a_scale_that_is_no_number_is_refused_before_packing() {
    Operand blocks = bytes(BUFFER, 1, INT4.rowBytes(32));
    CPU.memory().write(java.lang.foreign.MemorySegment.ofArray(new byte[] {0, 0x7e}), BUFFER, 0);
    Operand packed = bytes(OTHER, LAYOUT.packedBytes(1, 32));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> CPU.kernels().run(new QuantizedPack(INT4, LAYOUT, 32, blocks, packed)));
    assertEquals(
        "quantized_pack: block 0 of row 0 has scale NaN and minimum 0.0, expected finite numbers of"
            + " INT4:32",
        e.getMessage());
  }

  @Test
  void rows_of_too_many_elements_are_refused() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new QuantizedPack(INT4, LAYOUT, 1L << 31, bytes(BUFFER, 1, 18), bytes(OTHER, 9)));
    assertEquals(
        "quantized_pack: rows of 2147483648 elements, expected fewer than 2^31 - 64",
        e.getMessage());
  }

  @Test
  void layouts_of_devices_are_refused_on_the_processor() {
    BlockFormat format = BlockFormat.of("Q4_K");
    QuantizedPack pack =
        new QuantizedPack(
            format,
            format.wideLayout(),
            256,
            bytes(BUFFER, 1, format.rowBytes(256)),
            bytes(OTHER, format.wideLayout().packedBytes(1, 256)));
    String message =
        assertThrows(UnsupportedOperationException.class, () -> CPU.kernels().run(pack))
            .getMessage();
    assertEquals(
        "quantized_pack: blocks of Q4_K become %s on the processor, not %s"
            .formatted(format.layout(), format.wideLayout()),
        message);
  }
}
