package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers in GGUF against llama.cpp, and their libraries where a vocabulary is one of theirs.
 */
final class GgufTokenizerTest {
  private static final Path GOLDENS = Path.of("..", "..", "test", "goldens", "tokenizers");

  @ParameterizedTest
  @ValueSource(strings = {"sp-llama", "byte-bpe"})
  void tokens_equal_the_reference(String name) throws IOException {
    JsonNode golden = new ObjectMapper().readTree(GOLDENS.resolve("case.json").toFile());
    EncodeOptions plain = EncodeOptions.DEFAULT.withSpecialTokens(false);
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve(name + ".vocab.gguf"))) {
      for (JsonNode each : golden.path("encodings")) {
        String text = each.path("text").textValue();
        long[] ids = tokenizer.encode(text, plain).ids();
        JsonNode wanted = each.path("llama.cpp:" + name).path("ids");
        assertArrayEquals(longs(wanted), ids, text);
        if (wanted.equals(each.path(name).path("ids"))) {
          assertEquals(
              each.path(name).path("decoded").textValue(), tokenizer.decode(ids, true), text);
        }
      }
    }
  }

  private static long[] longs(JsonNode ids) {
    return StreamSupport.stream(ids.spliterator(), false).mapToLong(JsonNode::longValue).toArray();
  }
}
