package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.formats.QuantizationError;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.weights.TensorFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GGML's formats against what ggml's own code makes of rows of hard values. */
final class GgmlBlocksTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final List<BlockFormat> MORE =
      List.of(BlockFormat.IQ4_NL, BlockFormat.IQ4_XS, BlockFormat.MXFP4);
  private static final int ROWS = 7;
  private static final int LENGTH = 512;

  static Stream<BlockFormat> simple() {
    return Stream.of(
        BlockFormat.Q4_0,
        BlockFormat.Q4_1,
        BlockFormat.Q5_0,
        BlockFormat.Q5_1,
        BlockFormat.Q8_0,
        BlockFormat.MXFP4);
  }

  static List<BlockFormat> all() {
    return BlockFormat.GGML;
  }

  private static Path golden(BlockFormat format) {
    return GOLDENS.resolve(MORE.contains(format) ? "gguf-blocks-more" : "gguf-blocks");
  }

  @ParameterizedTest
  @MethodSource("simple")
  void blocks_equal_ggmls_to_the_byte(BlockFormat format) throws Exception {
    try (TensorFile golden = TensorFile.open(golden(format).resolve("expected.safetensors"))) {
      byte[] expected =
          data(golden, "out.%s.bytes".formatted(format)).toArray(ValueLayout.JAVA_BYTE);
      byte[] blocks = new byte[expected.length];
      quantize(format, floats(golden, "in.values"), blocks);
      assertArrayEquals(expected, blocks);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void blocks_become_the_same_floats(BlockFormat format) throws Exception {
    try (TensorFile golden = TensorFile.open(golden(format).resolve("expected.safetensors"))) {
      MemorySegment blocks = data(golden, "out.%s.bytes".formatted(format));
      float[] expected = floats(golden, "out.%s.values".formatted(format));
      float[] row = new float[LENGTH];
      for (int r = 0; r < ROWS; r++) {
        Quantizer.dequantize(format, blocks.asSlice(r * format.rowBytes(LENGTH)), row);
        for (int i = 0; i < LENGTH; i++) {
          assertEquals(expected[r * LENGTH + i], row[i], "row " + r + ", element " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void the_error_is_no_larger_than_ggmls(BlockFormat format) throws Exception {
    JsonNode about = new ObjectMapper().readTree(golden(format).resolve("case.json").toFile());
    try (TensorFile golden = TensorFile.open(golden(format).resolve("expected.safetensors"))) {
      float[] values = floats(golden, "in.values");
      float[] theirs = floats(golden, "out.%s.values".formatted(format));
      byte[] blocks = new byte[(int) (ROWS * format.rowBytes(LENGTH))];
      double rmse = quantize(format, values, blocks).rootMeanSquare();
      double limit = about.at("/types/%s/rmse".formatted(format)).asDouble();
      assertTrue(
          rmse <= limit * (1 + 1e-6), "root mean square %s, ggml's %s".formatted(rmse, limit));
      float[] row = new float[LENGTH];
      for (int r = 0; r < ROWS; r++) {
        Quantizer.dequantize(
            format, MemorySegment.ofArray(blocks).asSlice(r * format.rowBytes(LENGTH)), row);
        double ours = 0;
        double ggmls = 0;
        for (int i = 0; i < LENGTH; i++) {
          ours += Math.pow(row[i] - values[r * LENGTH + i], 2);
          ggmls += Math.pow(theirs[r * LENGTH + i] - values[r * LENGTH + i], 2);
        }
        assertTrue(ours <= ggmls * (1 + 1e-6), "row %d: %s, ggml's %s".formatted(r, ours, ggmls));
      }
    }
  }

  private static QuantizationError quantize(BlockFormat format, float[] values, byte[] blocks) {
    return Quantizer.quantize(
        format,
        (row, x) -> System.arraycopy(values, (int) row * LENGTH, x, 0, LENGTH),
        ROWS,
        LENGTH,
        MemorySegment.ofArray(blocks));
  }

  private static MemorySegment data(TensorFile golden, String name) {
    return golden.get(name).data();
  }

  private static float[] floats(TensorFile golden, String name) {
    return data(golden, name).toArray(ValueLayout.JAVA_FLOAT);
  }
}
