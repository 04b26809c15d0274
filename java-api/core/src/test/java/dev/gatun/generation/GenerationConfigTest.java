package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.GenerationConfig.EarlyStopping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GenerationConfigTest {
  @TempDir Path directory;

  private GenerationDefaults load(String generation, String model) throws IOException {
    if (generation != null) {
      Files.writeString(directory.resolve("generation_config.json"), generation);
    }
    Files.writeString(directory.resolve("config.json"), model);
    return GenerationConfig.load(directory);
  }

  @Test
  void the_end_of_text_is_that_of_both_files() throws IOException {
    GenerationConfig config =
        load("{\"eos_token_id\": [5, 6], \"temperature\": 0.6}", "{\"eos_token_id\": 2}").config();
    assertEquals(List.of(2, 5, 6), config.eosTokenId());
    assertEquals(0.6f, config.temperature());
  }

  @Test
  void the_models_file_serves_where_there_is_no_other() throws IOException {
    String model =
        """
        {"bos_token_id": 1, "eos_token_id": null, "text_config": {"eos_token_id": [3]},
         "num_beams": 4, "early_stopping": true, "vocab_size": 10}
        """;
    GenerationDefaults defaults = load(null, model);
    assertEquals(List.of(), defaults.warnings());
    assertEquals(List.of(3), defaults.config().eosTokenId());
    assertEquals(4, defaults.config().numBeams());
    assertEquals(EarlyStopping.TRUE, defaults.config().earlyStopping());
    assertEquals(OptionalInt.of(1), defaults.config().bosTokenId());
  }

  @Test
  void a_generation_config_goes_before_the_models_settings() throws IOException {
    assertEquals(1, load("{}", "{\"num_beams\": 4}").config().numBeams());
  }

  @Test
  void unknown_keys_are_warned_of_by_name() throws IOException {
    GenerationDefaults defaults =
        load("{\"chat_format\": \"chatml\", \"use_cache\": true, \"guidance_scale\": 1.0}", "{}");
    assertEquals(1, defaults.warnings().size());
    assertTrue(defaults.warnings().getFirst().contains("'chat_format'"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"guidance_scale\": 1.5} | 'guidance_scale' is 1.5, which is not supported",
        "{\"watermarking_config\": {}} | 'watermarking_config' is {}, which is not supported",
        "{\"top_k\": \"5\"} | 'top_k' is \"5\", expected an integer",
        "{\"top_k\": -1} | top_k is -1, expected a number from 0",
        "{\"top_p\": 1.5} | top_p is 1.5, expected a number of 0 to 1",
        "{\"temperature\": -1} | temperature is -1.0, expected a finite number from 0",
        "{\"eos_token_id\": [1, -2]} | 'eos_token_id' is [1,-2], expected a token id or a list",
        "{\"early_stopping\": \"often\"} | 'early_stopping' is \"often\", expected true, false or",
        "{\"num_beams\": 3, \"num_beam_groups\": 2} | num_beam_groups is 2, expected a divisor",
        "{\"num_beams\": 2, \"logprobs\": 1} | logprobs is 1 with num_beams 2, expected",
        "{\"num_return_sequences\": 2} | num_return_sequences is 2, expected 1 where neither",
        "{\"bad_words_ids\": [[]]} | 'bad_words_ids' is [[]], expected a list of lists",
        "{\"stop_strings\": \"\"} | stop_strings has an empty text",
        "[] | expected a JSON object",
      })
  void a_wrong_value_is_told_with_its_file(String json, String message) {
    String told = assertThrows(IllegalArgumentException.class, () -> load(json, "{}")).getMessage();
    assertTrue(told.startsWith(directory.resolve("generation_config.json") + ": "), told);
    assertTrue(told.contains(message), told);
  }
}
