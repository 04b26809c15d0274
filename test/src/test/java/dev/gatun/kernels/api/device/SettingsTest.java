package dev.gatun.kernels.api.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class SettingsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern LITERAL = Pattern.compile("\"(gatun\\.[a-z0-9_.]+)\"");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(gatun\\.[a-z0-9_.]+)` \\|");

  /** Read where libraries are loaded, which makes it of the library's name. */
  private static final String OF_A_LIBRARY = "gatun.cpu.library";

  @Test
  void a_property_that_nobody_reads_is_told() {
    List<String> given =
        List.of(
            "user.home",
            "gatun.threads",
            "gatun.cpu.threads",
            "gatunx.y",
            "gatun.cpu.Level",
            "gatun.test.seed",
            "gatun.bench.llama_cpp");
    String names = String.join(", ", Settings.NAMES);
    assertEquals(
        List.of(
            "gatun: -Dgatun.cpu.Level is no setting and does nothing; there are " + names,
            "gatun: -Dgatun.threads is no setting and does nothing; there are " + names),
        Settings.notices(given));
  }

  @Test
  void every_property_that_the_sources_read_is_a_setting() throws IOException {
    SortedSet<String> read = new TreeSet<>(List.of(OF_A_LIBRARY));
    for (String folder : List.of("kernels", "bindings", "java-api")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        for (Path file : files.filter(SettingsTest::isSource).toList()) {
          String text = Files.readString(file);
          if (text.contains("System.getProperty(") || text.contains("Boolean.getBoolean(")) {
            read.addAll(found(LITERAL, text));
          }
        }
      }
    }
    assertEquals(Settings.NAMES, read);
  }

  @Test
  void every_setting_is_in_the_readme() throws IOException {
    assertEquals(Settings.NAMES, found(ROW, Files.readString(ROOT.resolve("README.md"))));
  }

  private static boolean isSource(Path file) {
    String name = ROOT.relativize(file).toString();
    return name.contains("src/main/java") && name.endsWith(".java");
  }

  private static SortedSet<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(match -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
