package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;

/** The small model that knows the compliance tests' questions by heart. */
final class Canal {
  static final Path GOLDENS = Path.of("../../test/goldens");

  // Ends with the tests' JVM.
  private static Chat chat;

  private Canal() {}

  static synchronized Chat chat() {
    if (chat == null) {
      try {
        chat = Chat.load(GOLDENS.resolve("chat-model"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return chat;
  }

  /** Copies a golden's files into a folder. */
  static void copy(Path golden, Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(golden)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Path to = folder.resolve(golden.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
