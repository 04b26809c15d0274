package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.text.Tokenizer;
import dev.gatun.training.data.Collator;
import dev.gatun.training.data.Dataset;
import dev.gatun.training.data.Draws;
import dev.gatun.training.data.NewTokenizer;
import dev.gatun.training.data.Samples;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Samples of texts by a tokenizer that is trained and loaded. */
final class TrainingTextsTest {
  @TempDir Path folder;

  @Test
  void a_text_of_several_samples_ends_once() throws Exception {
    NewTokenizer.write(Dataset.of(List.of("ab")), 257, folder);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      long[] ids = tokenizer.encode("abcdefgh").ids();
      Samples samples =
          Collator.causalLm(tokenizer, 4, false).samples(Dataset.of(List.of("abcdefgh", "a")));
      assertEquals(4, samples.size());
      assertArrayEquals(Arrays.copyOf(ids, 3), inputs(samples, 0));
      assertArrayEquals(Arrays.copyOfRange(ids, 3, 6), inputs(samples, 1));
      assertArrayEquals(new long[] {ids[6], ids[7], 0}, inputs(samples, 2));
      assertArrayEquals(new long[] {ids[0], 0}, inputs(samples, 3));
    }
  }

  @Test
  void a_new_tokenizer_reads_the_fields_of_each_objective() throws Exception {
    for (Map<String, Object> record :
        List.<Map<String, Object>>of(
            Map.of("question", "why", "context", "zqzq"), Map.of("tokens", List.of("b", "zqzq")))) {
      NewTokenizer.write(Dataset.ofRecords(List.of(record)), 258, folder);
      try (Tokenizer tokenizer = Tokenizer.load(folder)) {
        assertEquals(2, tokenizer.encode("zqzq").ids().length, record.toString());
      }
    }
  }

  private static long[] inputs(Samples samples, int sample) {
    return samples.get(sample, new Draws(5, 0, sample)).inputIds();
  }
}
