package dev.gatun.text.hf;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tokenizer of all-MiniLM-L6-v2. */
final class MiniLm {
  private MiniLm() {}

  /** Its tokenizer.json, written to {@code directory}. */
  static Path write(Path directory) throws IOException {
    Path path = directory.resolve("tokenizer.json");
    try (InputStream in = MiniLm.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, path);
    }
    return path;
  }
}
