package dev.gatun.test.mutations;

import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/**
 * Builds what a fault changes, in a folder of its own, and runs the test that must notice it. Only
 * the objects that have the changed file in them are compiled, of one level of the processor; the
 * others are those of the build.
 */
final class Workshop {
  private static final Path CPU = Path.of("kernels/cpu/src/main/cpp");
  private static final Path CUDA = Path.of("cuda-src");
  private static final Path EMULATOR = Path.of("test/emulator");
  private static final Path CPU_OBJECTS =
      Mutation.ROOT.resolve("kernels/cpu/target/native").resolve(NativeLoader.platform());
  private static final Path CUDA_OBJECTS = Emulator.LIBRARY.getParent();
  private static final Pattern COMMAND = Pattern.compile("\"command\": \"([^\"]*)\"");
  private static final List<String> SOURCES =
      List.of(CPU.toString(), CUDA.toString(), EMULATOR.toString());

  private final Path folder;
  private final Path tree;

  /** What came of a fault. */
  record Outcome(boolean noticed, String how) {}

  Workshop(Path folder) throws IOException {
    this.folder = folder;
    this.tree = folder.resolve("tree");
    for (String source : SOURCES) {
      copy(Mutation.ROOT.resolve(source), tree.resolve(source));
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.write(copy, Files.readAllBytes(file));
      }
    }
  }

  /** Whether the test fails with the fault. */
  Outcome run(Mutation m) throws IOException, InterruptedException {
    List<String> options = m.options();
    List<Path> classes = new ArrayList<>();
    String level = m.property("level");
    if (m.file().startsWith(CPU.toString())) {
      String chosen = level == null ? Subjects.levels().getLast().id() : level;
      if (level == null) {
        options.add("-Dgatun.test.level=" + chosen);
      }
      options.add("-Dgatun.cpu.library=" + cpuLibrary(m, chosen));
    } else if (m.file().startsWith(CUDA.toString()) || m.file().startsWith(EMULATOR.toString())) {
      options.add("-Dgatun.test.emulator=" + emulator(m));
    } else if (m.file().endsWith(".java")) {
      classes.add(javaClasses(m));
    } else if (!m.file().isEmpty()) {
      throw new IllegalArgumentException(m + ": no rule says how that is built");
    }
    return test(m, options, classes);
  }

  private String cpuLibrary(Mutation m, String level) throws IOException, InterruptedException {
    Path source = CPU.relativize(Path.of(m.file()));
    Map<Path, Path> made = objects(m, source.toString(), CPU_OBJECTS, CPU_OBJECTS.resolve(level));
    Path library = folder.resolve("libgatun_cpu.so");
    List<String> link = new ArrayList<>(List.of(compiler(), "-shared", "-nodefaultlibs", "-o"));
    link.add(library.toString());
    link.addAll(linked(CPU_OBJECTS, made));
    link.addAll(List.of("-lm", "-lc", "-lgcc", "-Wl,--no-undefined"));
    must(link, folder);
    return library.toString();
  }

  private String emulator(Mutation m) throws IOException, InterruptedException {
    String source =
        m.file().startsWith(EMULATOR.toString())
            ? EMULATOR.relativize(Path.of(m.file())).toString()
            : "../../" + m.file();
    Map<Path, Path> made = objects(m, source, CUDA_OBJECTS);
    Path images = folder.resolve("images");
    if (!Files.exists(images)) {
      copy(Emulator.IMAGES, images);
    }
    Path library = folder.resolve(Emulator.LIBRARY.getFileName());
    List<String> link = new ArrayList<>(List.of(compiler(), "-shared", "-o", library.toString()));
    link.addAll(linked(CUDA_OBJECTS, made));
    link.addAll(List.of("-pthread", "-ldl", "-Wl,--no-undefined"));
    must(link, folder);
    return folder.toString();
  }

  /** Compiles the objects of folders that a changed source is in; gives the new one for each. */
  private Map<Path, Path> objects(Mutation m, String source, Path... folders)
      throws IOException, InterruptedException {
    Path changed = tree.resolve(m.file());
    String before = Files.readString(changed);
    Map<Path, Path> made = new java.util.TreeMap<>();
    Files.writeString(changed, m.applied());
    try {
      for (Path objects : folders) {
        for (Path object : objectsIn(objects)) {
          if (isIn(source, object)
              && (m.objects().isEmpty() || m.objects().contains(name(object)))) {
            Path to = folder.resolve(made.size() + "-" + object.getFileName());
            boolean cpu = m.file().startsWith(CPU.toString());
            // Less of the compiler's work is less to wait for.
            compile(object, to, cpu ? CPU : EMULATOR, cpu ? "-O0" : "-O1");
            made.put(object, to);
          }
        }
      }
    } finally {
      Files.writeString(changed, before);
    }
    if (made.isEmpty()) {
      throw new IllegalArgumentException(m + ": no object has it, of " + List.of(folders));
    }
    return made;
  }

  private static List<Path> objectsIn(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".o")).sorted().toList();
    }
  }

  private static String name(Path object) {
    return object.getFileName().toString().replaceAll("(\\.cu)?\\.o$", "");
  }

  /** Whether a source is among those that the compiler noted for an object. */
  private static boolean isIn(String source, Path object) throws IOException {
    Path wanted = Path.of(source).normalize();
    return Stream.of(
            Files.readString(object.resolveSibling(object.getFileName() + ".headers"))
                .split("[\\s\\\\]+"))
        .anyMatch(file -> Path.of(file).normalize().equals(wanted));
  }

  private void compile(Path object, Path to, Path source, String optimised)
      throws IOException, InterruptedException {
    Matcher noted =
        COMMAND.matcher(Files.readString(object.resolveSibling(object.getFileName() + ".json")));
    if (!noted.find()) {
      throw new IOException(object + ": the command that made it was not noted");
    }
    List<String> command = new ArrayList<>(List.of(noted.group(1).split(" +")));
    command.replaceAll(word -> word.matches("-O[23]") ? optimised : word);
    // A fault may leave a name unused.
    command.addAll(List.of("-w", "-o", to.toString()));
    must(command, tree.resolve(source));
  }

  private static List<String> linked(Path folder, Map<Path, Path> made) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(f -> f.toString().endsWith(".o"))
          .map(f -> made.getOrDefault(f, f).toString())
          .sorted()
          .toList();
    }
  }

  private Path javaClasses(Mutation m) throws IOException {
    Path source = folder.resolve("source").resolve(Path.of(m.file()).getFileName());
    Path classes = folder.resolve("classes");
    delete(classes);
    Files.createDirectories(classes);
    Files.createDirectories(source.getParent());
    Files.writeString(source, m.applied());
    java.io.ByteArrayOutputStream messages = new java.io.ByteArrayOutputStream();
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                messages,
                "-proc:none",
                "-nowarn",
                "-parameters",
                "-d",
                classes.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                source.toString());
    if (code != 0) {
      throw new IOException(m + " does not compile: " + messages);
    }
    return classes;
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private Outcome test(Mutation m, List<String> options, List<Path> classes)
      throws IOException, InterruptedException {
    Path module = Mutation.ROOT.resolve(m.module());
    List<String> path = new ArrayList<>();
    classes.forEach(c -> path.add(c.toString()));
    path.add(module.resolve("target/test-classes").toString());
    path.add(System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=" + folder.resolve("hs_err.log")));
    command.addAll(options);
    command.addAll(
        List.of(
            "-cp",
            String.join(File.pathSeparator, path),
            MutantRun.class.getName(),
            named(m, module)));
    Process process = start(command, module);
    if (!process.waitFor(10, java.util.concurrent.TimeUnit.MINUTES)) {
      process.destroyForcibly().waitFor();
      throw new IOException(m + ": " + m.test() + " does not end within ten minutes");
    }
    String out = Files.readString(folder.resolve("out")).strip();
    String last = out.substring(out.lastIndexOf('\n') + 1);
    return switch (process.exitValue()) {
      case MutantRun.PASSED -> new Outcome(false, last);
      case MutantRun.FAILED -> new Outcome(true, last);
      case MutantRun.NONE -> throw new IOException(m + ": no test ran of " + m.test());
      default -> new Outcome(true, "the JVM ends with code " + process.exitValue());
    };
  }

  /** The full name of the test's class in its module. */
  private static String named(Mutation m, Path module) throws IOException {
    Path root = module.resolve("target/test-classes");
    String[] parts = m.test().split("#", 2);
    try (Stream<Path> files = Files.walk(root)) {
      Path file =
          files
              .filter(f -> f.endsWith(parts[0] + ".class"))
              .findAny()
              .orElseThrow(
                  () -> new IllegalArgumentException(m + ": " + root + " has no " + parts[0]));
      String name = root.relativize(file).toString().replace(".class", "").replace('/', '.');
      return parts.length == 1 ? name : name + "#" + parts[1];
    }
  }

  private static String compiler() {
    return System.getenv().getOrDefault("CXX", "g++");
  }

  private void must(List<String> command, Path in) throws IOException, InterruptedException {
    if (start(command, in).waitFor() != 0) {
      throw new IOException(
          String.join(" ", command) + ": " + Files.readString(folder.resolve("err")));
    }
  }

  private Process start(List<String> command, Path in) throws IOException {
    return new ProcessBuilder(command)
        .directory(in.toFile())
        .redirectOutput(folder.resolve("out").toFile())
        .redirectError(folder.resolve("err").toFile())
        .start();
  }
}
