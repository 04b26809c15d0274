package dev.gatun.cli;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.formats.QuantizationError;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.nn.WeightType;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Embeds texts with weights of several types and compares the vectors. */
final class QuantizeReport {
  /**
   * What a weight type costs.
   *
   * @param weights the weights' format or dtype
   * @param activations what becomes of the layers' inputs
   * @param bits of an element, its share of the scales counted
   * @param weight_error the weights' relative error; null of a dtype
   * @param least_cosine of the texts
   * @param mean_cosine of the texts
   * @param reason why the model cannot be kept so, or null
   */
  record Row(
      String weights,
      String activations,
      double bits,
      Double weight_error,
      Double least_cosine,
      Double mean_cosine,
      String reason) {}

  /** The whole report. */
  record Result(String model, int texts, List<Row> rows) {}

  private final Path directory;
  private final List<String> texts;
  private final float[][] expected;

  private QuantizeReport(Path directory, List<String> texts, float[][] expected) {
    this.directory = directory;
    this.texts = texts;
    this.expected = expected;
  }

  static QuantizeReport open(Path directory, List<String> texts) throws IOException {
    return new QuantizeReport(directory, texts, embed(directory, texts, WeightType.F32));
  }

  private static float[][] embed(Path directory, List<String> texts, WeightType type)
      throws IOException {
    EmbeddingPipeline.Options options =
        EmbeddingPipeline.Options.DEFAULT.withNormalize(true).withWeights(type);
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(directory, options)) {
      return pipeline.embed(texts);
    }
  }

  Row row(WeightType type) throws IOException {
    String weights = type.isQuantized() ? type.format().toString() : type.dtype().toString();
    String activations =
        type.isQuantized()
            ? type.activations().toString().toLowerCase(Locale.ROOT).replace('_', ' ')
            : type.dtype() == DType.BF16 ? "bf16" : "exact";
    double bits = type.isQuantized() ? bits(type.format()) : 8 * type.dtype().bytes();
    try {
      Double error = type.isQuantized() ? weightError(type.format()) : null;
      float[][] got = embed(directory, texts, type);
      double least = 1;
      double total = 0;
      for (int i = 0; i < got.length; i++) {
        double cosine = 0;
        for (int j = 0; j < got[i].length; j++) {
          cosine += (double) got[i][j] * expected[i][j];
        }
        least = Math.min(least, cosine);
        total += cosine;
      }
      return new Row(weights, activations, bits, error, least, total / got.length, null);
    } catch (IllegalArgumentException e) {
      return new Row(weights, activations, bits, null, null, null, e.getMessage());
    }
  }

  /** Of a row of 1024, which every block divides. */
  private static double bits(BlockFormat format) {
    return 8.0 * format.rowBytes(1024) / 1024;
  }

  private double weightError(BlockFormat format) throws IOException {
    QuantizationError error = QuantizationError.NONE;
    try (TensorFile file = TensorFile.open(directory)) {
      for (String name : file.names()) {
        TensorFile.Entry entry = file.get(name);
        boolean linear = entry.shape().length == 2 && name.endsWith(".weight");
        if (linear && !name.contains("embeddings") && entry.dtype() == DType.F32) {
          error = error.plus(weightError(format, entry));
        }
      }
    }
    return error.relative();
  }

  private static QuantizationError weightError(BlockFormat format, TensorFile.Entry entry) {
    int out = Math.toIntExact(entry.shape()[0]);
    int in = Math.toIntExact(entry.shape()[1]);
    try (Arena arena = Arena.ofShared()) {
      return Quantizer.quantize(
          format,
          (row, x) ->
              java.lang.foreign.MemorySegment.copy(
                  entry.data(), ValueLayout.JAVA_FLOAT, row * in * 4, x, 0, in),
          out,
          in,
          arena.allocate(Math.max(1, out * format.rowBytes(in))));
    }
  }

  /** Prints the rows for people. */
  static void print(Terminal terminal, List<Row> rows) {
    terminal
        .out()
        .println(
            terminal.bold(
                "%-14s %-16s %5s %13s %13s %12s"
                    .formatted(
                        "weights",
                        "activations",
                        "bits",
                        "weight error",
                        "least cosine",
                        "mean cosine")));
    for (Row row : rows) {
      String start =
          String.format(Locale.ROOT, "%-14s %-16s %5.2f", row.weights, row.activations, row.bits);
      if (row.reason != null) {
        terminal.out().println(start + "  not possible: " + row.reason);
        continue;
      }
      String error =
          row.weight_error == null ? "" : String.format(Locale.ROOT, "%.5f", row.weight_error);
      terminal
          .out()
          .println(
              start
                  + String.format(
                      Locale.ROOT,
                      " %13s %13.5f %12.5f",
                      error,
                      row.least_cosine,
                      row.mean_cosine));
    }
  }
}
