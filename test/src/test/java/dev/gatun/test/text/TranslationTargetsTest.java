package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.Tokenizer;
import dev.gatun.training.data.Collator;
import dev.gatun.training.data.Dataset;
import dev.gatun.training.data.Features;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Pairs to train a translation with: a target is told its language as a source of it is, which are
 * transformers' ids of sources in English.
 */
final class TranslationTargetsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path GOLDENS = Path.of("goldens", "text-to-text");

  @ParameterizedTest
  @CsvSource({"mbart, ro_RO, en_XX", "m2m, fr, en", "nllb, fra_Latn, eng_Latn"})
  void targets_have_the_code_of_their_language(String folder, String source, String target)
      throws IOException {
    Path directory = GOLDENS.resolve(folder);
    int compared = 0;
    try (Tokenizer tokenizer = Tokenizer.load(directory)) {
      for (JsonNode each : JSON.readTree(directory.resolve("case.json").toFile()).get("cases")) {
        if (!each.get("source").textValue().equals(target)) {
          continue;
        }
        String text = each.get("input").textValue();
        Features features = features(tokenizer, 100, source, target, text);
        long[] expected = JSON.convertValue(each.get("source_ids"), long[].class);
        assertArrayEquals(expected, features.labels());
        // The same text in another language has another code, at one place.
        int differ = 0;
        for (int i = 0; i < expected.length; i++) {
          differ += expected[i] == features.inputIds()[i] ? 0 : 1;
        }
        assertEquals(1, differ);
        assertEquals(6, features(tokenizer, 6, source, target, text).labels().length);
        compared++;
      }
      assertTrue(compared > 0);
      assertThrows(
          IllegalArgumentException.class,
          () -> Collator.translation(tokenizer, 100, 100, source, "tlh"));
    }
  }

  private static Features features(
      Tokenizer tokenizer, int longest, String source, String target, String text) {
    return Collator.translation(tokenizer, 100, longest, source, target)
        .samples(Dataset.ofRecords(List.of(Map.of("source", text, "target", text))))
        .get(0, null);
  }
}
