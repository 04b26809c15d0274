package dev.gatun.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a program of the tests in a JVM of its own, for what may end a JVM or is set at its start.
 */
public final class ChildJvm {
  private ChildJvm() {}

  /**
   * What a program left.
   *
   * @param status its exit code
   * @param lines what it printed
   */
  public record Outcome(int status, List<String> lines) {
    public String last() {
      return lines.isEmpty() ? "" : lines.getLast();
    }

    /** The last lines, for messages. */
    public String tail() {
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    }
  }

  /**
   * @param folder for the output
   * @param options of the JVM
   */
  public static Outcome run(Path folder, List<String> options, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:-CreateCoredumpOnCrash");
    command.add("-XX:ErrorFile=" + folder.resolve("crash.log"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status = process.waitFor();
    return new Outcome(status, Files.readAllLines(output));
  }
}
