package dev.gatun.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileTokenizerTest {
  @TempDir private Path folder;

  private TokenizerFiles files() throws IOException {
    Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    return TokenizerFiles.read(folder, false);
  }

  @Test
  void the_dependency_that_is_missing_is_named() throws IOException {
    TokenizerFiles files = files();
    String said =
        assertThrows(
                TokenizerException.class,
                () -> FileTokenizer.create(files, Collections.emptyIterator()))
            .getMessage();
    assertEquals(
        folder + ": nothing here runs tokenizers: add the dependency dev.gatun:gatun-text-hf",
        said);
  }

  @Test
  void what_an_engine_refuses_is_told_with_the_file() throws IOException {
    TokenizerFiles files = files();
    TokenizerProvider provider =
        json -> {
          throw new IllegalStateException("no such model");
        };
    String said =
        assertThrows(
                TokenizerException.class,
                () -> FileTokenizer.create(files, List.of(provider).iterator()))
            .getMessage();
    assertEquals(folder + ": no such model", said);
  }
}
