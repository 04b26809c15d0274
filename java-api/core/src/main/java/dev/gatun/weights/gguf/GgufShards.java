package dev.gatun.weights.gguf;

import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files of a model that is split: {@code NAME-00001-of-00003.gguf} and its fellows. */
final class GgufShards {
  private static final Pattern NAME =
      Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.CASE_INSENSITIVE);
  private static final String SUFFIX = ".gguf";

  private GgufShards() {}

  static boolean isGguf(Path file) {
    return file.getFileName() != null
        && file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(SUFFIX);
  }

  /**
   * The GGUF file that a path means: itself, or the one in a directory without a {@code
   * config.json}, whole or split; empty where it means none.
   *
   * @throws WeightsException naming the files where a directory has several
   */
  static Optional<Path> find(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return isGguf(path) ? Optional.of(path) : Optional.empty();
    }
    if (Files.exists(path.resolve("config.json"))) {
      return Optional.empty();
    }
    TreeSet<Path> found = new TreeSet<>();
    TreeSet<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.filter(GgufShards::isGguf).filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        Matcher matcher = NAME.matcher(name);
        String whole = matcher.matches() ? matcher.group(1) + " of " + matcher.group(3) : name;
        if (names.add(whole)) {
          found.add(file);
        }
      }
    }
    if (found.size() > 1) {
      throw new WeightsException(
          "%s: has several models, name one of them: %s"
              .formatted(
                  path, String.join(", ", found.stream().map(f -> "" + f.getFileName()).toList())));
    }
    return found.stream().findFirst();
  }

  /**
   * All files of a model, in order.
   *
   * @param file any of them
   * @param count how many it says there are
   * @throws WeightsException naming those that are missing
   */
  static List<Path> all(Path file, int count) throws IOException {
    Matcher matcher = NAME.matcher(file.getFileName().toString());
    if (!matcher.matches() || Integer.parseInt(matcher.group(3)) != count) {
      throw new WeightsException(
          "%s: is one of %d parts, expected a name that ends in -00001-of-%05d.gguf, from which the others' follow"
              .formatted(file, count, count));
    }
    List<Path> all = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      Path part = file.resolveSibling("%s-%05d-of-%05d.gguf".formatted(matcher.group(1), i, count));
      all.add(part);
      if (!Files.exists(part)) {
        missing.add(part.getFileName().toString());
      }
    }
    if (!missing.isEmpty()) {
      throw new WeightsException(
          "%s: is one of %d parts, of which %d are missing beside it: %s"
              .formatted(
                  file,
                  count,
                  missing.size(),
                  String.join(", ", missing.subList(0, Math.min(8, missing.size())))
                      + (missing.size() > 8 ? ", ..." : "")));
    }
    return all;
  }

  static void requireThere(Path file) throws NoSuchFileException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString(), null, "there is no such file or directory");
    }
  }
}
