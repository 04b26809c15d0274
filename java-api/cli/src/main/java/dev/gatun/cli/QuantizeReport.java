package dev.gatun.cli;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.QuantizationError;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.SensitiveLayers;
import dev.gatun.tensor.Device;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
   * @param wider_layers those that the wider of two types keeps; null of one type
   * @param reason why the model cannot be kept so, or null
   */
  record Row(
      String weights,
      String activations,
      double bits,
      Double weight_error,
      Double least_cosine,
      Double mean_cosine,
      List<String> wider_layers,
      String reason) {}

  /** The whole report. */
  record Result(String model, int texts, List<Row> rows) {}

  /**
   * How weights are kept and products compute.
   *
   * @param wider of the layers that lose most; null where there is one storage for all
   */
  record Kind(Storage weights, Storage wider, Compute compute) {
    Kind(Storage weights, Compute compute) {
      this(weights, null, compute);
    }
  }

  private final Path directory;
  private final List<String> texts;
  private final List<String> linearWeights;
  private final float[][] expected;

  private QuantizeReport(Path directory, List<String> texts, List<String> linearWeights)
      throws IOException {
    this.directory = directory;
    this.texts = texts;
    this.linearWeights = linearWeights;
    this.expected = embed(new Kind(Storage.F32, Compute.EXACT));
  }

  static QuantizeReport open(Path directory, List<String> texts) throws IOException {
    try (EncoderModel model =
        AutoModel.load(directory, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT)) {
      return new QuantizeReport(directory, texts, model.linearWeights());
    }
  }

  private float[][] embed(Kind kind) throws IOException {
    EmbeddingPipeline.Options options =
        EmbeddingPipeline.Options.DEFAULT
            .withNormalize(true)
            .withWeights(kind.weights)
            .withCompute(kind.compute);
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(directory, options)) {
      return pipeline.embed(texts);
    }
  }

  /**
   * @param target the mean cosine that a kind of two storages is to reach
   */
  Row row(Kind kind, double target) throws IOException {
    if (kind.wider != null) {
      return mixed(kind, target);
    }
    String weights = kind.weights.toString();
    String activations = activations(kind);
    // Of a row of 1024, which every block divides.
    double bits = 8.0 * kind.weights.rowBytes(1024) / 1024;
    try {
      Double error =
          kind.weights instanceof Storage.Blocks(BlockFormat format) ? weightError(format) : null;
      float[][] got = embed(kind);
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
      return new Row(weights, activations, bits, error, least, total / got.length, null, null);
    } catch (IllegalArgumentException e) {
      return new Row(weights, activations, bits, null, null, null, null, e.getMessage());
    }
  }

  private static String activations(Kind kind) {
    return switch (kind.weights) {
      case Storage.Blocks _ ->
          kind.compute.activations().toString().toLowerCase(Locale.ROOT).replace('_', ' ');
      case Storage.Dense(DType dtype) -> dtype == DType.BF16 ? "bf16" : "exact";
    };
  }

  private Row mixed(Kind kind, double target) throws IOException {
    String weights = kind.weights + "+" + kind.wider;
    try {
      SensitiveLayers.Found found =
          SensitiveLayers.find(directory, texts, kind.weights, kind.wider, kind.compute, target);
      return new Row(
          weights,
          activations(kind),
          found.bits(),
          null,
          found.leastCosine(),
          found.meanCosine(),
          found.types().widerLayers().stream().sorted().toList(),
          null);
    } catch (IllegalArgumentException e) {
      double bits = 8.0 * kind.weights.rowBytes(1024) / 1024;
      return new Row(weights, activations(kind), bits, null, null, null, null, e.getMessage());
    }
  }

  private double weightError(BlockFormat format) throws IOException {
    QuantizationError error = QuantizationError.NONE;
    try (TensorFile file = TensorFile.open(directory)) {
      for (String name : linearWeights) {
        TensorFile.Entry entry = file.get(name);
        long[] shape = entry.shape();
        error =
            error.plus(
                weightError(
                    format,
                    new StoredWeight.Dense(entry.data(), entry.dtype(), shape[0], shape[1])));
      }
    }
    return error.relative();
  }

  private static QuantizationError weightError(BlockFormat format, StoredWeight weight) {
    int out = Math.toIntExact(weight.outFeatures());
    int in = Math.toIntExact(weight.inFeatures());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment rows =
          weight.rows(
              Storage.F32,
              0,
              out,
              weight.isStoredAs(Storage.F32)
                  ? MemorySegment.NULL
                  : arena.allocate(Math.max(1, 4L * out * in), 64));
      return Quantizer.quantize(
          format,
          (row, x) -> MemorySegment.copy(rows, ValueLayout.JAVA_FLOAT, row * in * 4, x, 0, in),
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
                "%-18s %-16s %5s %13s %13s %12s"
                    .formatted(
                        "weights",
                        "activations",
                        "bits",
                        "weight error",
                        "least cosine",
                        "mean cosine")));
    for (Row row : rows) {
      String start =
          String.format(Locale.ROOT, "%-18s %-16s %5.2f", row.weights, row.activations, row.bits);
      if (row.reason != null) {
        terminal.out().println(start + "  not possible: " + Terminal.shown(row.reason));
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
    for (Row row : rows) {
      if (row.wider_layers != null) {
        terminal
            .out()
            .printf(
                "%n%s: the wider type for %s%n",
                row.weights, Terminal.shown(String.join(", ", row.wider_layers)));
      }
    }
  }
}
