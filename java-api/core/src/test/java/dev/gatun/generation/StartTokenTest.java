package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.models.AutoModel;
import dev.gatun.models.Seq2SeqLm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which token a text begins with, of the golden T5, whose config.json says 0. */
final class StartTokenTest {
  private static Seq2SeqLm model;

  @TempDir private Path folder;

  @BeforeAll
  static void load() throws IOException {
    model = AutoModel.loadSeq2SeqLm(Path.of("../../test/goldens/encoder-decoders/t5"));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private int start(String generationConfig) throws IOException {
    Files.writeString(folder.resolve("generation_config.json"), generationConfig);
    return Seq2SeqLoading.startTokenId(folder, model);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'decoder_start_token_id': 7, 'bos_token_id': 9}; 7",
        "{'decoder_start_token_id': [7], 'bos_token_id': 9}; 7",
        "{'bos_token_id': 9}; 9",
        "{'decoder_start_token_id': null, 'bos_token_id': 9}; 9",
        "{}; 0"
      },
      quoteCharacter = '"')
  void a_generation_config_goes_before(String json, int want) throws IOException {
    assertEquals(want, start(json.replace('\'', '"')));
  }

  @Test
  void several_are_refused() {
    assertEquals(
        folder.resolve("generation_config.json")
            + ": 'decoder_start_token_id' is [7,8], expected one id:"
            + " each text of a batch begins with the same one",
        assertThrows(
                IllegalArgumentException.class, () -> start("{\"decoder_start_token_id\": [7, 8]}"))
            .getMessage());
  }
}
