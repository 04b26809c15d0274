package dev.gatun.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a run measured, as it is kept.
 *
 * @param suite its name
 * @param date when, in UTC
 * @param commit of the working tree
 * @param processor its name, family and model
 * @param threads of every contender
 * @param versions of the contenders
 * @param ceilings of the machine, operations or bytes a second in each round: by case, by name
 * @param cases seconds of each round: by case, by contender
 */
record Results(
    String suite,
    String date,
    String commit,
    String processor,
    int threads,
    Map<String, String> versions,
    Map<String, Map<String, double[]>> ceilings,
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

  /** The median of the rounds' ratios. */
  static double ratio(double[] times, double[] others) {
    double[] ratios = new double[times.length];
    Arrays.setAll(ratios, i -> times[i] / others[i]);
    return median(ratios);
  }

  /** The median over the rounds of all cases of each ceiling, by name. */
  Map<String, Double> typicalCeilings() {
    Map<String, Double> typical = new LinkedHashMap<>();
    for (String name : ceilings.values().iterator().next().keySet()) {
      double[] all =
          ceilings.values().stream().flatMapToDouble(c -> Arrays.stream(c.get(name))).toArray();
      typical.put(name, median(all));
    }
    return typical;
  }

  /** The median of the rounds' differences. */
  static double difference(double[] times, double[] others) {
    double[] differences = new double[times.length];
    Arrays.setAll(differences, i -> times[i] - others[i]);
    return median(differences);
  }

  static Map<String, Map<String, double[]>> noCases() {
    return new LinkedHashMap<>();
  }
}
