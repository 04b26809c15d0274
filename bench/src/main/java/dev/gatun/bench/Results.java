package dev.gatun.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run measured, as it is kept.
 *
 * @param suite its name
 * @param date when, in UTC
 * @param commit of the working tree
 * @param processor its name
 * @param threads of every contender
 * @param versions of the contenders
 * @param ceilings of the machine by name, operations or bytes a second
 * @param cases seconds of each round: by case, by contender
 */
record Results(
    String suite,
    String date,
    String commit,
    String processor,
    int threads,
    Map<String, String> versions,
    Map<String, Double> ceilings,
    Map<String, Map<String, double[]>> cases) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  static Results read(Path file) throws IOException {
    return JSON.readValue(file.toFile(), Results.class);
  }

  void write(Path file) throws IOException {
    Files.writeString(file, JSON.writeValueAsString(this) + "\n");
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /**
   * A table of medians; a peer's column ends with how often Gatun's time fits into its own, and the
   * last one, of single kernels, says which part of the nearer ceiling Gatun reaches.
   */
  String table() {
    List<String> ids = List.copyOf(versions.keySet());
    boolean kernels = cases.keySet().stream().anyMatch(name -> name.contains("/"));
    String last = kernels ? " | of the ceiling |\n|---|" : " |\n|---|";
    StringBuilder text = new StringBuilder("| case | " + String.join(" | ", ids) + last);
    text.append("---:|".repeat(ids.size() + (kernels ? 1 : 0))).append('\n');
    cases.forEach(
        (name, times) -> {
          text.append("| ").append(name);
          double[] own = times.get(Contender.GATUN.id);
          for (String id : ids) {
            double[] other = times.get(id);
            text.append(" | %s ms".formatted(milliseconds(median(other))));
            if (other != own) {
              double[] ratios = new double[own.length];
              Arrays.setAll(ratios, i -> other[i] / own[i]);
              text.append(" (%.2fx)".formatted(median(ratios)));
            }
          }
          text.append(kernels ? " | " + reached(name, median(own)) + " |\n" : " |\n");
        });
    text.append("\n%s, %d threads, commit %s; ".formatted(processor, threads, commit));
    if (ceilings != null) {
      ceilings.forEach(
          (name, rate) -> text.append("%s %.0f %s; ".formatted(name, rate / 1e9, unit(name))));
    }
    return text.append(String.join("; ", versions.values())).append(".\n").toString();
  }

  private static String milliseconds(double seconds) {
    return (seconds < 0.01 ? "%.2f" : "%.1f").formatted(1000 * seconds);
  }

  private static String unit(String ceiling) {
    return ceiling.equals("read") || ceiling.equals("copy") ? "GB/s" : "GFLOP/s";
  }

  private String reached(String name, double seconds) {
    KernelCase c = KernelCase.of(name);
    Double rate = ceilings.get(c.ceiling());
    double arithmetic = rate == null ? 0 : c.operations() / seconds / rate;
    double memory = c.bytes() / seconds / ceilings.get("read");
    return arithmetic > memory
        ? "%.0f %% of %s".formatted(100 * arithmetic, c.ceiling())
        : "%.0f %% of read".formatted(100 * memory);
  }

  static Map<String, Map<String, double[]>> noCases() {
    return new LinkedHashMap<>();
  }
}
