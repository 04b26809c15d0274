package dev.gatun.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Which paths are GGUF files. */
final class GgufPaths {
  private GgufPaths() {}

  static boolean isGguf(Path path) {
    return Files.isRegularFile(path) && isGgufName(path);
  }

  static boolean isGgufName(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().toLowerCase(Locale.ROOT).endsWith(".gguf");
  }
}
