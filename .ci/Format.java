import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Checks the formatting of Java (google-java-format) and C++ (clang-format 14), mends it, or does
 * neither:
 *
 * <pre>java .ci/Format.java (check | fix | skip) GOOGLE_JAVA_FORMAT_JAR</pre>
 *
 * <p>Where clang-format is not installed, C++ is left out with a word on how to get it.
 */
final class Format {
  private static final String CLANG_FORMAT_MAJOR = "14";

  public static void main(String[] args) throws Exception {
    if (args.length != 2 || !List.of("check", "fix", "skip").contains(args[0])) {
      System.err.println("usage: java .ci/Format.java (check | fix | skip) GOOGLE_JAVA_FORMAT_JAR");
      System.exit(2);
    }
    if (args[0].equals("skip")) {
      return;
    }
    boolean fix = args[0].equals("fix");
    boolean right = java(Path.of(args[1]), fix) & cpp(fix);
    if (!right) {
      System.err.println("format: the files above are not formatted; .ci/format mends them");
      System.exit(1);
    }
  }

  private static boolean java(Path jar, boolean fix) throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> command = new ArrayList<>(List.of(java, "-jar", jar.toString()));
    command.addAll(fix ? List.of("-i") : List.of("--dry-run", "--set-exit-if-changed"));
    command.addAll(files(".java"));
    return run(command) == 0;
  }

  private static boolean cpp(boolean fix) throws IOException, InterruptedException {
    List<String> files = files(".cpp", ".h", ".cu", ".cuh");
    String tool = clangFormat();
    if (tool == null) {
      System.err.printf(
          "format: C++ is not checked: clang-format %s is missing"
              + " (apt-get install clang-format-%1$s)%n",
          CLANG_FORMAT_MAJOR);
    }
    if (files.isEmpty() || tool == null) {
      return true;
    }
    List<String> command = new ArrayList<>(List.of(tool));
    command.addAll(fix ? List.of("-i") : List.of("--dry-run", "-Werror"));
    command.addAll(files);
    return run(command) == 0;
  }

  private static String clangFormat() throws InterruptedException {
    for (String tool : List.of("clang-format-" + CLANG_FORMAT_MAJOR, "clang-format")) {
      try {
        Process process = new ProcessBuilder(tool, "--version").start();
        String version = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() == 0 && version.contains("version " + CLANG_FORMAT_MAJOR + ".")) {
          return tool;
        }
      } catch (IOException e) {
        // Not installed under this name.
      }
    }
    return null;
  }

  private static List<String> files(String... endings) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(Path.of(""))) {
      for (Path path : (Iterable<Path>) paths.sorted()::iterator) {
        String name = path.toString();
        boolean ours =
            Stream.of(name.split("/"))
                .noneMatch(part -> List.of("target", "generated", ".git").contains(part));
        if (ours && Stream.of(endings).anyMatch(name::endsWith)) {
          found.add(name);
        }
      }
    }
    return found;
  }

  private static int run(List<String> command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }
}
