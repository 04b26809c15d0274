package dev.gatun.test.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the sources may not have, where no class file tells. */
final class SourcesTest {
  private static final Path ROOT = Path.of("..");
  private static final int MOST_LINES = 800;
  private static final int MOST_LINES_OF_ARCHITECTURE = 250;
  private static final Set<String> WRITTEN_BY_HAND =
      Set.of("java", "cpp", "h", "cu", "def", "py", "sh", "md", "xml");
  private static final Set<String> MADE = Set.of("target", "generated", "results", ".git");

  /** A condition of the preprocessor, but for the guard of a header. */
  private static final Pattern CONDITION = Pattern.compile("\\s*#\\s*(if|ifdef|elif)\\b.*");

  /** What names a level, its instructions or its processor. */
  private static final Pattern LEVEL =
      Pattern.compile(
          ".*(\\b_mm\\d*_|\\b__m(128|256|512)|\\bv[a-z0-9]+q_[fsubp]\\d|immintrin\\.h|arm_neon\\.h"
              + "|\\b__(AVX|SSE|FMA|F16C|ARM|aarch64|x86_64)).*");

  private static final Pattern JAVA_FILE =
      Pattern.compile(".*/src/(?:main|test)/java/(dev/gatun/.*)\\.java");
  private static final Pattern CLASS = Pattern.compile("\\bdev\\.gatun(\\.[a-z0-9]+)*\\.[A-Z]\\w*");
  private static final Pattern PTX = Pattern.compile(".*\\basm\\b.*");
  private static final Pattern HOST = Pattern.compile(".*(<<<|\\bcudaMalloc|cuda_runtime\\.h).*");
  private static final Pattern OUTSIDE = Pattern.compile("#include \"(.*/)?\\.\\./.*");

  private static boolean isHandWritten(Path file) {
    String name = file.getFileName().toString();
    for (Path part : ROOT.relativize(file)) {
      if (MADE.contains(part.toString())) {
        return false;
      }
    }
    return WRITTEN_BY_HAND.contains(name.substring(name.lastIndexOf('.') + 1));
  }

  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(SourcesTest::isHandWritten).filter(Files::isRegularFile).toList();
    }
  }

  private static List<String> longer(List<Path> files, int most) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : files) {
      int lines = Files.readAllLines(file).size();
      if (lines > most) {
        found.add("%s has %d lines, at most %d".formatted(file, lines, most));
      }
    }
    return found;
  }

  /** The lines that are not allowed, comments of whole lines left out. */
  private static List<String> lines(List<Path> files, Predicate<String> isAgainst)
      throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : files) {
      List<String> lines = Files.readAllLines(file);
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i);
        if (!line.strip().startsWith("//") && isAgainst.test(line)) {
          found.add("%s:%d: %s".formatted(file, i + 1, line.strip()));
        }
      }
    }
    return found;
  }

  private static Predicate<String> has(Pattern pattern) {
    return line -> pattern.matcher(line).matches();
  }

  private static void assertNone(List<String> found) {
    assertEquals("", String.join("\n", found));
  }

  @Test
  void no_file_is_longer_than_800_lines() throws Exception {
    assertNone(longer(sources(ROOT), MOST_LINES));
    assertNone(longer(List.of(ROOT.resolve("docs/ARCHITECTURE.md")), MOST_LINES_OF_ARCHITECTURE));
  }

  @Test
  void no_cpu_kernel_asks_which_level_it_is_in() throws Exception {
    Path cpp = ROOT.resolve("kernels/cpu/src/main/cpp/src");
    // level.h has the sizes of the library for tests.
    Set<String> about =
        Set.of(
            "dispatch.cpp",
            "features.cpp",
            "features.h",
            "level.h",
            "stack.cpp",
            "thread_pool.cpp");
    List<Path> kernels =
        sources(cpp).stream()
            .filter(file -> !file.startsWith(cpp.resolve("isa")))
            .filter(file -> !about.contains(file.getFileName().toString()))
            .toList();
    assertNone(lines(kernels, has(CONDITION).or(has(LEVEL))));
  }

  @Test
  void ptx_is_in_the_primitives_only() throws Exception {
    List<Path> others =
        sources(ROOT.resolve("cuda-src")).stream()
            .filter(file -> !file.getFileName().toString().startsWith("primitives"))
            .filter(file -> !file.toString().endsWith(".py"))
            .toList();
    assertNone(lines(others, has(PTX).or(has(HOST)).or(has(OUTSIDE))));
  }

  /** A comment that sends its reader to a class sends them to one that is there. */
  @Test
  void classes_that_native_code_names_exist() throws Exception {
    Set<String> classes = new HashSet<>();
    for (Path file : sources(ROOT)) {
      Matcher java = JAVA_FILE.matcher(file.toString());
      if (java.matches()) {
        classes.add(java.group(1).replace('/', '.'));
      }
    }
    List<Path> files = new ArrayList<>(sources(ROOT.resolve("cuda-src")));
    files.addAll(sources(ROOT.resolve("kernels/cpu/src/main/cpp")));
    files.addAll(sources(ROOT.resolve("test/emulator")));
    assertNone(unknown(files, classes));
  }

  private static List<String> unknown(List<Path> files, Set<String> classes) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : files) {
      Matcher names = CLASS.matcher(Files.readString(file));
      while (names.find()) {
        if (!classes.contains(names.group())) {
          found.add("%s names %s, which does not exist".formatted(file, names.group()));
        }
      }
    }
    return found;
  }

  /** Each rule above finds the line that is against it. */
  @Test
  void what_is_planted_is_found(@TempDir Path folder) throws Exception {
    Path planted = folder.resolve("planted.cpp");
    List<String> against =
        List.of(
            "#if defined(SOMETHING)",
            "  __m256 x = _mm256_add_ps(x, x);",
            "  float32x4_t y = vaddq_f32(y, y);",
            "  asm volatile(\"nop;\");",
            "  kernel<<<1, 32>>>(x);",
            "#include \"../kernels/x.h\"",
            "x; // as dev.gatun.nowhere.Missing");
    Files.write(planted, against);
    List<Path> one = List.of(planted);
    assertEquals(3, lines(one, has(CONDITION).or(has(LEVEL))).size());
    assertEquals(3, lines(one, has(PTX).or(has(HOST)).or(has(OUTSIDE))).size());
    assertEquals(1, unknown(one, Set.of("dev.gatun.ops.Norm")).size());
    assertEquals(0, unknown(one, Set.of("dev.gatun.nowhere.Missing")).size());
    assertEquals(1, longer(one, against.size() - 1).size());
    assertEquals(0, longer(one, against.size()).size());
  }
}
