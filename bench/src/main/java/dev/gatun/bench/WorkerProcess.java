package dev.gatun.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The driver's side of a contender's process. */
final class WorkerProcess implements AutoCloseable {
  private final Process process;
  private final PrintStream orders;
  private final BufferedReader answers;
  private final Contender contender;

  WorkerProcess(Contender contender, int threads, Path model) throws IOException {
    this.contender = contender;
    this.process = builder(contender, threads, model).start();
    this.orders = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    this.answers = process.inputReader(StandardCharsets.UTF_8);
  }

  private static ProcessBuilder builder(
      Contender contender, int threads, Path model, String... more) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(contender.properties(threads));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(Worker.class.getName(), contender.name(), "" + threads, "" + model));
    command.addAll(List.of(more));
    ProcessBuilder builder = new ProcessBuilder(command);
    for (String setting : contender.environment) {
      String[] parts = setting.split("=");
      builder.environment().put(parts[0], parts[1]);
    }
    builder.environment().put("OMP_NUM_THREADS", "" + threads);
    return builder.redirectError(ProcessBuilder.Redirect.DISCARD);
  }

  /**
   * Seconds from the start of a process that does one case to its end: of the command, where the
   * contender has one.
   */
  static double once(Contender contender, int threads, Path model, String name)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        contender.command().isEmpty()
            ? builder(contender, threads, model, name).start()
            : command(contender, threads).start();
    process.getInputStream().readAllBytes();
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(contender.id + " ended with status " + status + " in case " + name);
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static ProcessBuilder command(Contender contender, int threads) {
    ProcessBuilder builder = new ProcessBuilder(contender.command());
    builder.environment().put("GATUN_OPTS", String.join(" ", contender.properties(threads)));
    return builder.redirectError(ProcessBuilder.Redirect.DISCARD);
  }

  String version() throws IOException {
    return ask("version");
  }

  double[] vectors(String name) throws IOException {
    return numbers(ask("vectors " + name));
  }

  double[] run(String name, int iterations) throws IOException {
    return numbers(ask("run " + name + " " + iterations));
  }

  /** The most bytes that were resident up to now. */
  double peakBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/%d/status".formatted(process.pid())))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Double.parseDouble(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("the status of " + contender.id + "'s process has no VmHWM");
  }

  private String ask(String order) throws IOException {
    orders.println(order);
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException(contender.id + " ended at '" + order + "'");
    }
    return answer;
  }

  private static double[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToDouble(Double::parseDouble).toArray();
  }

  @Override
  public void close() {
    orders.close();
    process.destroy();
  }
}
