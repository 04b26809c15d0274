package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.formats.Quantizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Blocks of random rows beside those that ggml makes of them. */
@Tag("full")
final class GgmlQuantizerTest {
  private static final int ROWS = 64;
  private static final int COLUMNS = 1024;

  private static Path libraries;

  @BeforeAll
  static void find() {
    try {
      libraries = LlamaCpp.folder();
    } catch (IOException e) {
      abort("llama.cpp cannot be had: " + e.getMessage());
    }
  }

  private static float[] rows(Random random, int kind) {
    float[] x = new float[ROWS * COLUMNS];
    for (int i = 0; i < x.length; i++) {
      double normal = random.nextGaussian();
      x[i] =
          (float)
              switch (kind) {
                case 0 -> 0.02 * normal;
                // Heavy tails, a few large elements.
                case 1 -> 0.02 * normal * Math.exp(random.nextGaussian());
                // Rows that are not about 0.
                default -> 0.1 + 0.05 * normal;
              };
    }
    return x;
  }

  private static double error(BlockFormat format, byte[] blocks, float[] x, float[] weights) {
    float[] row = new float[COLUMNS];
    double error = 0;
    for (int r = 0; r < ROWS; r++) {
      MemorySegment all = MemorySegment.ofArray(blocks);
      Quantizer.dequantize(
          format, all.asSlice(r * format.rowBytes(COLUMNS), format.rowBytes(COLUMNS)), row);
      for (int i = 0; i < COLUMNS; i++) {
        double weight = weights == null ? 1 : weights[i];
        error += weight * Math.pow(row[i] - x[r * COLUMNS + i], 2);
      }
    }
    return error;
  }

  private static byte[] ours(BlockFormat format, float[] x, float[] importance) {
    byte[] blocks = new byte[(int) (ROWS * format.rowBytes(COLUMNS))];
    Quantizer.Rows rows = (row, to) -> System.arraycopy(x, (int) row * COLUMNS, to, 0, COLUMNS);
    MemorySegment to = MemorySegment.ofArray(blocks);
    if (importance == null) {
      Quantizer.quantize(format, rows, ROWS, COLUMNS, to);
    } else {
      Quantizer.quantize(format, rows, importance, ROWS, COLUMNS, to);
    }
    return blocks;
  }

  @ParameterizedTest
  @CsvSource({"Q4_0, 2", "Q4_1, 3", "Q5_0, 6", "Q5_1, 7", "Q8_0, 8"})
  void simple_blocks_are_ggmls_to_the_byte(String name, int type) throws IOException {
    BlockFormat format = BlockFormat.of(name);
    for (int kind = 0; kind < 3; kind++) {
      float[] x = rows(new Random(kind), kind);
      byte[] mine = ours(format, x, null);
      assertArrayEquals(LlamaCpp.quantize(libraries, type, x, COLUMNS, null, mine.length), mine);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q2_K, 10",
    "Q3_K, 11",
    "Q4_K, 12",
    "Q5_K, 13",
    "Q6_K, 14",
    "IQ4_NL, 20",
    "IQ4_XS, 23"
  })
  void errors_are_no_larger_than_ggmls(String name, int type) throws IOException {
    BlockFormat format = BlockFormat.of(name);
    for (int kind = 0; kind < 3; kind++) {
      float[] x = rows(new Random(kind), kind);
      byte[] mine = ours(format, x, null);
      byte[] theirs = LlamaCpp.quantize(libraries, type, x, COLUMNS, null, mine.length);
      double own = error(format, mine, x, null);
      double ggmls = error(format, theirs, x, null);
      assertTrue(own <= ggmls, "%s, kind %d: %s, ggml's %s".formatted(name, kind, own, ggmls));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_0, 2",
    "Q4_1, 3",
    "Q5_0, 6",
    "Q5_1, 7",
    "Q2_K, 10",
    "Q3_K, 11",
    "Q4_K, 12",
    "Q5_K, 13",
    "Q6_K, 14",
    "IQ4_NL, 20",
    "IQ4_XS, 23"
  })
  void errors_in_columns_that_matter_are_no_larger_than_ggmls(String name, int type)
      throws IOException {
    BlockFormat format = BlockFormat.of(name);
    for (int kind = 0; kind < 3; kind++) {
      Random random = new Random(10 + kind);
      float[] x = rows(random, kind);
      float[] importance = new float[COLUMNS];
      for (int i = 0; i < COLUMNS; i++) {
        importance[i] = (float) Math.exp(1.5 * random.nextGaussian());
      }
      byte[] mine = ours(format, x, importance);
      byte[] theirs = LlamaCpp.quantize(libraries, type, x, COLUMNS, importance, mine.length);
      double own = error(format, mine, x, importance);
      double ggmls = error(format, theirs, x, importance);
      double plain = error(format, ours(format, x, null), x, importance);
      assertTrue(own < plain, "%s, kind %d: %s, without %s".formatted(name, kind, own, plain));
      assertTrue(own <= ggmls, "%s, kind %d: %s, ggml's %s".formatted(name, kind, own, ggmls));
    }
  }
}
