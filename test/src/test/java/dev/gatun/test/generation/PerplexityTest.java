package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.generation.Perplexity;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loss of windows is that of the model's own loss over each window's tokens that count. */
final class PerplexityTest {
  private static final Path MODEL = Path.of("goldens/decoders/llama");

  @ParameterizedTest
  @CsvSource({"2, 2, 1", "9, 20, 10", "20, 20, 3", "30, 7, 2", "64, 24, 12", "64, 24, 23"})
  void windows_add_up(int length, int window, int stride) throws IOException {
    int[] ids = new Random(length).ints(length, 3, 90).toArray();
    try (CausalLm model = AutoModel.loadCausalLm(MODEL)) {
      double expected = 0;
      int counted = 0;
      int end = 1;
      for (int begin = 0; end < length; begin += stride) {
        int next = Math.min(begin + window, length);
        long[] row = Arrays.stream(ids, begin, next).asLongStream().toArray();
        long[] labels = row.clone();
        Arrays.fill(labels, 0, end - begin, -100);
        try (CausalLmOutput output =
            model.forward(
                new CausalLmInputs(
                    new long[][] {row}, null, new long[][] {labels}, false, false))) {
          expected += (double) output.lossValue() * (next - end);
        }
        counted += next - end;
        end = next;
      }
      List<Integer> told = new ArrayList<>();
      Perplexity found = Perplexity.of(model, ids, window, stride, told::add);
      assertEquals(counted, found.tokens());
      assertEquals(expected, found.loss(), 1e-5 * Math.max(1, expected));
      assertEquals(length - 1, told.getLast());
    }
  }

  @Test
  void bad_windows_are_named() throws IOException {
    try (CausalLm model = AutoModel.loadCausalLm(MODEL)) {
      for (int[] bad : new int[][] {{1, 1}, {100_000, 5}, {10, 10}, {10, 0}}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> Perplexity.of(model, new int[] {1, 2, 3}, bad[0], bad[1], n -> {}));
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> Perplexity.of(model, new int[] {1}, 10, 5, n -> {}));
    }
  }
}
