package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tokens beside a vocabulary of lines, held to the ids of transformers. */
final class AddedTokensTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  static Iterable<JsonNode> cases() throws IOException {
    return JSON.readTree(Path.of("goldens/added-tokens.json").toFile()).path("cases");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gives_the_ids_of_the_reference(JsonNode each) throws IOException {
    for (var file : each.path("files").properties()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue().textValue());
    }
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      for (JsonNode text : each.path("texts")) {
        assertArrayEquals(
            JSON.convertValue(text.path("ids"), long[].class),
            tokenizer.encode(text.path("text").textValue()).ids(),
            each.path("name") + " " + text);
      }
    }
  }

  @Test
  void roberta_and_gpt_2_have_them_too() throws IOException {
    write("vocab.json", "{\"<s>\":0,\"</s>\":1,\"a\":2,\"b\":3,\"\u0120\":4}");
    write("merges.txt", "#version: 0.2\n");
    write("added_tokens.json", "{\"<ent>\": 5, \"b\": 3}");
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertArrayEquals(new long[] {0, 2, 5, 3, 1}, tokenizer.encode("a<ent>b").ids());
      assertEquals(6, tokenizer.vocabSize());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"<e>\": 7}; added token '<e>' has id 7, expected 5, where the vocabulary has it or ends",
        "{\"[PAD]\": 1}; added tokens [[PAD]] have ids of other tokens",
        "{\"<e>\": 5, \"<f>\": 5}; added tokens [<e>] have ids of other tokens",
        "{\"<e>\": \"x\"}; added token '<e>' has id x, expected a number",
      })
  void ids_that_cannot_be_are_refused(String added, String message) throws IOException {
    write("vocab.txt", String.join("\n", List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")));
    write("added_tokens.json", added);
    String said = assertThrows(TokenizerException.class, () -> Tokenizer.load(folder)).getMessage();
    assertTrue(said.startsWith(folder + ": " + message), said);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }
}
