package dev.gatun.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the machine can do at most: operations a second of the multiply-add instructions, and bytes
 * a second of reading and copying memory. A program compiled for this very processor measures them.
 */
final class Ceilings {
  private static final Path SOURCE = Path.of("bench/src/main/cpp/ceilings.cpp");
  private static final Path PROGRAM = Path.of("bench/target/ceilings");

  private final int threads;

  Ceilings(int threads) throws IOException, InterruptedException {
    this.threads = threads;
    Files.createDirectories(PROGRAM.getParent());
    run("g++", "-O3", "-march=native", "-std=c++17", "-pthread", "-o", "" + PROGRAM, "" + SOURCE);
  }

  /** Measures, by name: f32, bf16, int8 in operations a second; read, copy in bytes a second. */
  Map<String, Double> measure() throws IOException, InterruptedException {
    Map<String, Double> found = new LinkedHashMap<>();
    new ObjectMapper()
        .readTree(run("" + PROGRAM, "" + threads))
        .properties()
        .forEach(each -> found.put(each.getKey(), each.getValue().asDouble()));
    return found;
  }

  /** What a program prints. */
  static String run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException("failed: " + String.join(" ", command));
    }
    return output;
  }
}
