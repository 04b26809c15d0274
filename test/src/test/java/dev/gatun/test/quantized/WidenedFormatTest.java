package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.kernels.formats.WidenedFormat;
import dev.gatun.weights.TensorFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Formats that become INT8 when they are loaded, against what ggml's own code makes of them. */
final class WidenedFormatTest {
  private static final Path GOLDEN = Path.of("goldens", "gguf-blocks-more");
  private static final int ROWS = 7;
  private static final int LENGTH = 512;

  @ParameterizedTest
  @EnumSource
  void elements_equal_ggmls_to_the_bit(WidenedFormat format) throws Exception {
    try (TensorFile golden = TensorFile.open(GOLDEN.resolve("expected.safetensors"))) {
      MemorySegment blocks = golden.get("out.%s.bytes".formatted(format)).data();
      float[] expected =
          golden.get("out.%s.values".formatted(format)).data().toArray(ValueLayout.JAVA_FLOAT);
      assertEquals(ROWS * format.rowBytes(LENGTH), blocks.byteSize());
      long rowBytes = format.becomes().rowBytes(LENGTH);
      byte[] widened = new byte[(int) (ROWS * rowBytes)];
      format.widen(blocks, MemorySegment.ofArray(widened));
      float[] row = new float[LENGTH];
      for (int r = 0; r < ROWS; r++) {
        Quantizer.dequantize(
            format.becomes(), MemorySegment.ofArray(widened).asSlice(r * rowBytes), row);
        for (int i = 0; i < LENGTH; i++) {
          assertEquals(expected[r * LENGTH + i], row[i], "row " + r + ", element " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void many_blocks_are_as_one(WidenedFormat format) throws Exception {
    try (TensorFile golden = TensorFile.open(GOLDEN.resolve("expected.safetensors"))) {
      MemorySegment blocks = golden.get("out.%s.bytes".formatted(format)).data();
      int times = 60;
      byte[] many = new byte[(int) (times * blocks.byteSize())];
      for (int t = 0; t < times; t++) {
        MemorySegment.ofArray(many).asSlice(t * blocks.byteSize()).copyFrom(blocks);
      }
      int bytes = (int) (ROWS * format.becomes().rowBytes(LENGTH));
      byte[] one = new byte[bytes];
      byte[] all = new byte[times * bytes];
      format.widen(blocks, MemorySegment.ofArray(one));
      format.widen(MemorySegment.ofArray(many), MemorySegment.ofArray(all));
      for (int t = 0; t < times; t++) {
        assertEquals(0, Arrays.compare(one, 0, bytes, all, t * bytes, (t + 1) * bytes), "" + t);
      }
    }
  }

  @Test
  void scales_that_are_not_finite_are_refused_in_packing() {
    WidenedFormat format = WidenedFormat.TQ2_0;
    byte[] blocks = new byte[(int) format.rowBytes(512)];
    blocks[66 + 65] = 0x7e;
    byte[] widened = new byte[(int) format.becomes().rowBytes(512)];
    format.widen(MemorySegment.ofArray(blocks), MemorySegment.ofArray(widened));
    byte[] packed = new byte[(int) format.becomes().layout().packedBytes(1, 512)];
    assertEquals(
        "quantized_pack: block 2 of row 0 has scale NaN and minimum 0.0, expected finite numbers of"
            + " INT8:128",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Packer.pack(
                        format.becomes(),
                        format.becomes().layout(),
                        MemorySegment.ofArray(widened),
                        widened.length,
                        1,
                        512,
                        MemorySegment.ofArray(packed)))
            .getMessage());
  }

  @Test
  void sizes_that_do_not_fit_are_named() {
    assertEquals(
        "IQ2_XS has blocks of 256, which do not divide 384 input features",
        assertThrows(IllegalArgumentException.class, () -> WidenedFormat.IQ2_XS.rowBytes(384))
            .getMessage());
    assertEquals(
        "75 bytes of IQ2_XS into 320 of INT8:16, expected a multiple of 74 into as many times 320",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    WidenedFormat.IQ2_XS.widen(
                        MemorySegment.ofArray(new byte[75]), MemorySegment.ofArray(new byte[320])))
            .getMessage());
    assertEquals(
        "148 bytes of IQ2_XS into 320 of INT8:16, expected a multiple of 74 into as many times 320",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    WidenedFormat.IQ2_XS.widen(
                        MemorySegment.ofArray(new byte[148]), MemorySegment.ofArray(new byte[320])))
            .getMessage());
  }

  @Test
  void formats_are_found_by_their_numbers() {
    assertEquals(Optional.of(WidenedFormat.IQ1_M), WidenedFormat.ofGgmlType(29));
    assertEquals(Optional.empty(), WidenedFormat.ofGgmlType(2));
  }
}
