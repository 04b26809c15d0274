package dev.gatun.test.devices;

import dev.gatun.test.emulator.Emulator;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, for what a process does once: loading a driver. */
public final class ChildJvm {
  /**
   * What a child left.
   *
   * @param code its exit code
   * @param out its standard output
   * @param err its standard error
   */
  public record Outcome(int code, String out, String err) {}

  private ChildJvm() {}

  /**
   * Runs a class of this class path to its end.
   *
   * @param folder takes the child's output
   * @param environment variables besides those of this process, {@code LD_LIBRARY_PATH} left out
   * @param options of the JVM, such as {@code -Dname=value}
   */
  public static Outcome run(
      Path folder,
      Map<String, String> environment,
      List<String> options,
      Class<?> main,
      String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
    String emulator = System.getProperty(Emulator.PROPERTY);
    if (emulator != null) {
      command.add("-D%s=%s".formatted(Emulator.PROPERTY, emulator));
    }
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return run(folder, environment, command);
  }

  /**
   * Compiles a C++ source to a shared library with the compiler of the build.
   *
   * @param needed libraries that it calls
   */
  public static void compile(Path folder, Path source, Path library, Path... needed)
      throws IOException, InterruptedException {
    String compiler = System.getenv().getOrDefault("CXX", "g++");
    List<String> command =
        new ArrayList<>(
            List.of(
                compiler,
                "-std=c++17",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-o",
                library.toString(),
                source.toString()));
    for (Path file : needed) {
      command.add(file.toString());
    }
    Outcome outcome = run(folder, Map.of(), command);
    if (outcome.code != 0) {
      throw new IOException(compiler + " " + source + ": " + outcome.err);
    }
  }

  /** Runs a command to its end. */
  public static Outcome run(Path folder, Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    File out = folder.resolve("out").toFile();
    File err = folder.resolve("err").toFile();
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out).redirectError(err);
    builder.environment().remove("LD_LIBRARY_PATH");
    builder.environment().putAll(environment);
    Process process = builder.start();
    if (!process.waitFor(15, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new IOException("still running after 15 minutes: " + String.join(" ", command));
    }
    return new Outcome(
        process.exitValue(), Files.readString(out.toPath()), Files.readString(err.toPath()));
  }
}
