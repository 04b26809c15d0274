import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Checks the formatting of Java (google-java-format) and C++ (clang-format 14), mends it, or does
 * neither:
 *
 * <pre>java .ci/Format.java (check | fix | skip) GOOGLE_JAVA_FORMAT_JAR</pre>
 *
 * <p>Where clang-format is not installed, C++ is left out with a word on how to get it. Files that
 * were found right are not looked at again before they change; {@code target/formatted} has what
 * they were.
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
    return run(command, files(".java"), jar.getFileName().toString());
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
    if (tool == null) {
      return true;
    }
    List<String> command = new ArrayList<>(List.of(tool));
    command.addAll(fix ? List.of("-i") : List.of("--dry-run", "-Werror"));
    return run(command, files, "clang-format " + CLANG_FORMAT_MAJOR);
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

  /** Runs a tool on the files that it did not find right before; whether it does now. */
  private static boolean run(List<String> command, List<String> files, String tool)
      throws IOException, InterruptedException {
    Path notes = Path.of("target", "formatted", tool + ".txt");
    Set<String> right = new TreeSet<>(Files.exists(notes) ? Files.readAllLines(notes) : List.of());
    List<String> changed = new ArrayList<>();
    for (String file : files) {
      if (!right.contains(note(file))) {
        changed.add(file);
      }
    }
    if (changed.isEmpty()) {
      return true;
    }
    List<String> all = new ArrayList<>(command);
    all.addAll(changed);
    if (new ProcessBuilder(all).inheritIO().start().waitFor() != 0) {
      return false;
    }
    right.clear();
    for (String file : files) {
      right.add(note(file));
    }
    Files.createDirectories(notes.getParent());
    Files.write(notes, right);
    return true;
  }

  /** A file's name and what is in it, in a line. */
  private static String note(String file) throws IOException {
    try (DigestInputStream in =
        new DigestInputStream(
            Files.newInputStream(Path.of(file)), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest()) + " " + file;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
