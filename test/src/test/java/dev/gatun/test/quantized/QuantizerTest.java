package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.formats.BlockWriter;
import dev.gatun.kernels.formats.HostBlocks;
import dev.gatun.kernels.formats.QuantizationError;
import dev.gatun.kernels.formats.Quantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights whose blocks are known without a quantiser, and those that have none. */
final class QuantizerTest {
  private static final int SIZE = 32;
  private static final float[] EVEN = new float[SIZE];

  static {
    Arrays.fill(EVEN, 1);
  }

  private static byte[] bytes(BlockFormat format, int rows, int length) {
    return new byte[(int) (rows * format.rowBytes(length))];
  }

  /** Steps of a half from -2 on: a scale and a minimum of F16 have them all without an error. */
  @ParameterizedTest
  @CsvSource({"Q4_1, 16", "Q5_1, 32"})
  void steps_are_found_exactly_where_columns_matter_alike(String name, int codes) {
    BlockFormat format = codes == 16 ? BlockFormat.Q4_1 : BlockFormat.Q5_1;
    assertEquals(name, format.toString());
    float[] weight = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      weight[i] = -2 + 0.5f * (i % codes);
    }
    byte[] blocks = bytes(format, 1, SIZE);
    QuantizationError error =
        Quantizer.quantize(
            format,
            (row, x) -> System.arraycopy(weight, 0, x, 0, SIZE),
            EVEN,
            1,
            SIZE,
            MemorySegment.ofArray(blocks));
    assertEquals(0, error.errorSquares());
    assertEquals(SIZE, error.elements());
    byte[] expected = new byte[blocks.length];
    // 0.5 and -2 as F16, little-endian.
    expected[1] = 0x38;
    expected[3] = (byte) 0xc0;
    int begin = 4;
    if (codes == 32) {
      Arrays.fill(expected, 6, 8, (byte) 0xff);
      begin = 8;
    }
    for (int i = 0; i < SIZE / 2; i++) {
      expected[begin + i] = (byte) (i | i << 4);
    }
    assertArrayEquals(expected, blocks);
  }

  @Test
  void an_importance_of_other_columns_is_named() {
    assertEquals(
        "quantize to Q4_0: the importance of 31 columns, expected 32",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Quantizer.quantize(
                        BlockFormat.Q4_0,
                        (row, x) -> {},
                        new float[31],
                        1,
                        SIZE,
                        MemorySegment.ofArray(bytes(BlockFormat.Q4_0, 1, SIZE))))
            .getMessage());
  }

  @Test
  void rows_without_elements_have_no_blocks() {
    MemorySegment none = MemorySegment.ofArray(new byte[0]);
    Quantizer.Rows unread =
        (row, x) -> {
          throw new AssertionError("row " + row + " is read");
        };
    BlockFormat format = BlockFormat.Q4_0;
    assertSame(
        QuantizationError.NONE, Quantizer.quantize(format, unread, new float[0], 3, 0, none));
    assertSame(QuantizationError.NONE, Quantizer.quantize(format, unread, 3, 0, none));
    Quantizer.dequantize(format, none, new float[0]);
    try (Buffer empty = Devices.host().memory().allocate(0)) {
      HostBlocks.dequantize(format, Operand.of(empty, DType.U8, 3, 0), none, 0, none);
    }
  }

  @Test
  void errors_are_the_roots_of_mean_squares() {
    QuantizationError error = new QuantizationError(4, 64, 16, 3);
    assertEquals(2, error.rootMeanSquare());
    assertEquals(0.5, error.relative());
    assertEquals(
        new QuantizationError(6, 65, 20, 3), error.plus(new QuantizationError(2, 1, 4, 2)));
    assertEquals(0, QuantizationError.NONE.rootMeanSquare());
    assertEquals(0, QuantizationError.NONE.relative());
    assertEquals(0, new QuantizationError(2, 0, 4, 2).relative());
  }

  @Test
  void codes_of_others_go_to_gatuns_own_formats_alone() {
    assertEquals(
        "Q4_0 is none of Gatun's own formats",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    BlockWriter.write(
                        BlockFormat.Q4_0,
                        new int[SIZE],
                        1,
                        8,
                        MemorySegment.ofArray(bytes(BlockFormat.Q4_0, 1, SIZE)),
                        0))
            .getMessage());
  }
}
