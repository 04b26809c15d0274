package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.text.GgufTokenizerFiles;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tokenizer of a GGUF file, written as Hugging Face's files, cuts texts as the file does. */
final class GgufTokenizerFilesTest {
  private static final Path GOLDENS = Path.of("goldens");

  private static final List<String> TEXTS =
      List.of(
          "",
          " ",
          "The locks lift a ship 26 metres.",
          "  two  spaces, a\ttab\nand a line ",
          "naïve Straße, 漢字かな, שלום, 😀👩‍👧",
          "it's 1,234.5 and it'll\r\n\r\nbe");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"sp-llama", "byte-bpe", "wordpiece", "sp-unigram"})
  void texts_become_the_same_tokens(String name) throws IOException {
    Path gguf = GOLDENS.resolve("tokenizers").resolve(name + ".vocab.gguf");
    assertTrue(GgufTokenizerFiles.write(gguf, folder));
    try (Tokenizer want = Tokenizer.load(gguf);
        Tokenizer got = Tokenizer.load(folder)) {
      assertEquals(want.specialTokens().bos(), got.specialTokens().bos());
      assertEquals(want.specialTokens().eos(), got.specialTokens().eos());
      assertEquals(want.specialTokens().unk(), got.specialTokens().unk());
      assertEquals(want.specialTokens().pad(), got.specialTokens().pad());
      for (String text : TEXTS) {
        long[] ids = want.encode(text).ids();
        assertArrayEquals(ids, got.encode(text).ids(), text);
      }
    }
  }

  @Test
  void a_file_without_one_gives_none() throws IOException {
    assertFalse(GgufTokenizerFiles.write(GOLDENS.resolve("gguf").resolve("phi3.gguf"), folder));
    assertEquals(0, folder.toFile().list().length);
  }
}
