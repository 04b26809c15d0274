package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.TokenBytes;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of tokens are what they add to a text that is decoded. */
final class TokenBytesTest {
  private static final Path GOLDENS = Path.of("goldens/tokenizers");
  private static final EncodeOptions PLAIN = EncodeOptions.DEFAULT.withSpecialTokens(false);

  private static String text(byte... bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "byte-bpe.tokenizer.json",
        "byte-bpe.vocab.gguf",
        "sp-llama.vocab.gguf",
        "sp-unigram.vocab.gguf"
      })
  void they_are_what_a_token_adds_to_a_text(String file) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve(file))) {
      TokenBytes bytes = tokenizer.tokenBytes();
      long before = tokenizer.encode("the", PLAIN).ids()[0];
      String first = tokenizer.decode(new long[] {before}, true);
      int compared = 0;
      for (int id = 0; id < bytes.bytes().length; id++) {
        byte[] own = bytes.bytes()[id];
        String text = own == null ? null : text(own);
        if (text == null) {
          continue;
        }
        compared++;
        assertEquals(
            first + text,
            tokenizer.decode(new long[] {before, id}, true),
            file + ", token " + id + " " + tokenizer.idToToken(id));
      }
      assertTrue(compared > 150, file + ": " + compared);
      for (int id : tokenizer.controlTokens().ids().values()) {
        assertNull(bytes.bytes()[id], file + ", token " + id);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "byte-bpe.tokenizer.json",
        "byte-bpe.vocab.gguf",
        "sp-llama.vocab.gguf",
        "sp-unigram.vocab.gguf"
      })
  void those_of_a_text_are_the_text(String file) throws Exception {
    String text = "{\"name\": \"the best of it\", \"n\": [1, 2]}";
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve(file))) {
      TokenBytes bytes = tokenizer.tokenBytes();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      long[] ids = tokenizer.encode(text, PLAIN).ids();
      for (long id : ids) {
        if (bytes.bytes()[(int) id] != null) {
          all.writeBytes(bytes.bytes()[(int) id]);
        }
      }
      String decoded = tokenizer.decode(ids, true);
      String made = all.toString(StandardCharsets.UTF_8);
      assertEquals(
          decoded, bytes.leavesOutFirstSpace() && made.startsWith(" ") ? made.substring(1) : made);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte-bpe.tokenizer.json", "byte-bpe.vocab.gguf"})
  void each_byte_is_itself(String file) throws Exception {
    StringBuilder text = new StringBuilder();
    for (char c = 0; c < 0x800; c++) {
      text.append(c);
    }
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve(file))) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (long id : tokenizer.encode(text.toString(), PLAIN).ids()) {
        all.writeBytes(tokenizer.tokenBytes().bytes()[(int) id]);
      }
      assertEquals(text.toString(), all.toString(StandardCharsets.UTF_8));
    }
  }

  @Test
  void tokens_of_words_have_none() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(GOLDENS.resolve("wordpiece.vocab.gguf"))) {
      assertTrue(
          assertThrows(TokenizerException.class, tokenizer::tokenBytes)
              .getMessage()
              .contains("depends on their neighbours"));
    }
  }
}
