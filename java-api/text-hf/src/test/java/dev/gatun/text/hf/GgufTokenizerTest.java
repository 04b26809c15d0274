package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  @ParameterizedTest
  @ValueSource(strings = {"sp-llama", "byte-bpe", "wordpiece", "sp-unigram"})
  void tokens_of_many_scripts_equal_the_library(String name) throws IOException {
    JsonNode random = new ObjectMapper().readTree(GOLDENS.resolve("random-texts.json").toFile());
    JsonNode sentences =
        new ObjectMapper().readTree(GOLDENS.resolve("case.json").toFile()).path("encodings");
    EncodeOptions options = EncodeOptions.DEFAULT.withSpecialTokens(name.equals("wordpiece"));
    int wrong = 0;
    StringBuilder told = new StringBuilder();
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve(name + ".vocab.gguf"))) {
      for (JsonNode all : List.of(random, sentences)) {
        for (JsonNode each : all) {
          String text = each.path("text").textValue();
          JsonNode wanted = each.path(name);
          long[] want = longs(wanted.isArray() ? wanted : wanted.path("ids"));
          long[] ids = tokenizer.encode(text, options).ids();
          if (!Arrays.equals(want, ids) && !differs(name, text)) {
            wrong++;
            told.append(
                "\n'%s': %s, expected %s"
                    .formatted(text, Arrays.toString(ids), Arrays.toString(want)));
          }
        }
      }
    }
    assertEquals(0, wrong, () -> told.substring(0, Math.min(3000, told.length())));
  }

  /**
   * Where the library matches a control token in the text; and where sentencepiece keeps the space
   * before a user-defined token, which readers of GGUF and of tokenizer.json strip.
   */
  private static boolean differs(String name, String text) {
    return name.equals("byte-bpe") && text.contains("<|endoftext|>")
        || name.equals("sp-unigram") && text.contains(" <MASK>");
  }

  /** By sentencepiece 0.2.2 of the same pieces and table. */
  @ParameterizedTest
  @CsvSource({
    "A\u030a\u0323 canal, 5 1 215 12 151",
    "\ud835\udc00 \ud835\udfd7\u0301, 5 539 5 263 1",
    "\u212b\u0327 lock, 5 1 216 139 91",
    "\u304b\u3099\ufb03\u0301, 5 168 47 47 15 1",
    "\ud87e\udc00\u0301 \ud834\udd5e, 5 1 5 1",
    "the \u24b6\u0301 e\u0301s, 13 5 1 5 59 8",
  })
  void marks_and_far_characters_are_normalised_as_by_sentencepiece(String text, String ids)
      throws IOException {
    EncodeOptions plain = EncodeOptions.DEFAULT.withSpecialTokens(false);
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve("sp-unigram.vocab.gguf"))) {
      long[] want = Arrays.stream(ids.split(" ")).mapToLong(Long::parseLong).toArray();
      assertArrayEquals(want, tokenizer.encode(text, plain).ids());
      long[] pair = tokenizer.encode(text, text).ids();
      assertEquals(2 * want.length + 2, pair.length);
      assertEquals(3, pair[want.length]);
      assertEquals("<EOS>", tokenizer.decode(new long[] {3}, false));
    }
  }

  @Test
  void a_text_becomes_no_control_token() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve("sp-llama.vocab.gguf"))) {
      long[] ids = tokenizer.encode("</s> <s> <unk> <0x0A>").ids();
      assertEquals(1, ids[0]);
      for (int i = 1; i < ids.length; i++) {
        assertTrue(ids[i] > 2, Arrays.toString(ids));
      }
      assertEquals("", tokenizer.decode(new long[] {1, 2}, true));
      assertEquals("<s></s>", tokenizer.decode(new long[] {1, 2}, false));
    }
  }

  private static long[] longs(JsonNode ids) {
    return StreamSupport.stream(ids.spliterator(), false).mapToLong(JsonNode::longValue).toArray();
  }
}
