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
 * @param cases seconds of each round: by case, by contender
 */
record Results(
    String suite,
    String date,
    String commit,
    String processor,
    int threads,
    Map<String, String> versions,
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

  /** A table of medians; a peer's column ends with how often Gatun's time fits into its own. */
  String table() {
    List<String> ids = List.copyOf(versions.keySet());
    StringBuilder text = new StringBuilder("| case | " + String.join(" | ", ids) + " |\n|---|");
    text.append("---:|".repeat(ids.size())).append('\n');
    cases.forEach(
        (name, times) -> {
          text.append("| ").append(name);
          double[] own = times.get(Contender.GATUN.id);
          for (String id : ids) {
            double[] other = times.get(id);
            text.append(" | %.1f ms".formatted(1000 * median(other)));
            if (other != own) {
              double[] ratios = new double[own.length];
              Arrays.setAll(ratios, i -> other[i] / own[i]);
              text.append(" (%.2fx)".formatted(median(ratios)));
            }
          }
          text.append(" |\n");
        });
    text.append("\n%s, %d threads, commit %s; ".formatted(processor, threads, commit));
    return text.append(String.join("; ", versions.values())).append(".\n").toString();
  }

  static Map<String, Map<String, double[]>> noCases() {
    return new LinkedHashMap<>();
  }
}
