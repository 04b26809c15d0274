package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFilesTest {
  private static final List<String> TEXTS =
      List.of("How do ships climb?", "Café 中文 😀!", "[MASK] un-believable [SEP]", "  ");

  @TempDir Path directory;

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  @Test
  void vocabTxtGivesTheSameTokensAsTokenizerJson() throws IOException {
    Path fast = MiniLm.write(Files.createDirectory(directory.resolve("fast")));
    JsonNode vocab = new ObjectMapper().readTree(fast.toFile()).at("/model/vocab");
    String[] lines = new String[vocab.size()];
    vocab.properties().forEach(e -> lines[e.getValue().intValue()] = e.getKey());
    write("vocab.txt", String.join("\n", lines) + "\n");
    write("tokenizer_config.json", "{\"do_lower_case\":true,\"model_max_length\":512}");
    try (Tokenizer expected = Tokenizer.load(fast);
        Tokenizer made = Tokenizer.load(directory)) {
      for (String text : TEXTS) {
        assertArrayEquals(expected.encode(text).ids(), made.encode(text).ids(), text);
        Encoding pair = made.encode(text, "x");
        assertArrayEquals(expected.encode(text, "x").typeIds(), pair.typeIds(), text);
      }
      assertEquals(expected.specialTokens(), made.specialTokens());
      assertEquals(OptionalInt.of(512), made.modelMaxLength());
      assertEquals(OptionalInt.empty(), expected.modelMaxLength());
    }
  }

  @Test
  void caseIsKeptWhereTheConfigurationSaysSo() throws IOException {
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nHi\nhi\n");
    try (Tokenizer lower = Tokenizer.load(directory)) {
      assertArrayEquals(new long[] {2, 6, 3}, lower.encode("Hi").ids());
    }
    write("tokenizer_config.json", "{\"do_lower_case\":false,\"model_max_length\":1e30}");
    try (Tokenizer cased = Tokenizer.load(directory)) {
      assertArrayEquals(new long[] {2, 5, 3}, cased.encode("Hi").ids());
      assertArrayEquals(new long[] {2, 4, 3}, cased.encode("[MASK]").ids());
      assertEquals(OptionalInt.empty(), cased.modelMaxLength());
    }
  }

  @Test
  void vocabAndMergesOfRoberta() throws IOException {
    write(
        "vocab.json",
        "{\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3,\"h\":4,\"i\":5,\"\u0120\":6,\"hi\":7,"
            + "\"\u0120hi\":8,\"<mask>\":9}");
    write("merges.txt", "#version: 0.2\nh i\n\u0120 hi\n");
    try (Tokenizer tokenizer = Tokenizer.load(directory)) {
      Encoding encoding = tokenizer.encode("hi hi <mask>");
      assertArrayEquals(new long[] {0, 7, 8, 9, 2}, encoding.ids());
      assertEquals(3, encoding.starts()[2]);
      assertArrayEquals(new long[] {0, 7, 2, 2, 7, 2}, tokenizer.encode("hi", "hi").ids());
      assertEquals(OptionalInt.of(0), tokenizer.specialTokens().cls());
      assertEquals(OptionalInt.of(9), tokenizer.specialTokens().mask());
      assertEquals("hi hi", tokenizer.decode(new long[] {0, 7, 8, 2}, true));
    }
  }

  @Test
  void damageIsNamed() throws IOException {
    assertThrows(NoSuchFileException.class, () -> Tokenizer.load(directory.resolve("none")));
    assertTrue(error().contains("vocab.txt"));
    write("vocab.txt", "a\nb\n");
    assertTrue(error().contains("[UNK] is not there"));
    write("tokenizer.json", "{\"model\":");
    assertTrue(error().contains("tokenizer.json: byte "));
    write("tokenizer.json", "[]");
    assertTrue(error().contains("expected a JSON object"));
    write("tokenizer.json", "{}");
    assertTrue(error().contains("model must be an object"));
    write("tokenizer.json", "{\"model\":{\"vocab\":{\"a\":-1}}}");
    assertTrue(error().contains("token 'a' has id -1"));
    String model = "{\"model\":{\"type\":\"%s\",\"vocab\":{\"a\":0},\"unk_token\":\"a\"}%s}";
    write("tokenizer.json", model.formatted("Nonsense", ""));
    error();
    String template =
        ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
            + "{\"id\":\"[CLS]\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}";
    write("tokenizer.json", model.formatted("WordLevel", template));
    assertTrue(error().contains("special_tokens lack"));
  }

  private String error() {
    return assertThrows(TokenizerException.class, () -> Tokenizer.load(directory)).getMessage();
  }

  @Test
  void aClosedTokenizerIsRefused() throws IOException {
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    Tokenizer tokenizer = Tokenizer.load(directory);
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode("a"));
  }
}
