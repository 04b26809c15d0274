package dev.gatun.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.text.Tokenizer;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What {@code gatun inspect} finds. */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Inspection(
    String path,
    @JsonProperty("model_type") String modelType,
    List<String> architectures,
    @JsonProperty("runs_as") String runsAs,
    List<String> reasons,
    Integer context,
    Integer vocabulary,
    String quantization,
    String tokenizer,
    int tensors,
    long parameters,
    long bytes,
    Map<String, Part> dtypes,
    List<FileSize> files,
    @JsonProperty("tensor_list") List<Named> list) {

  /** The tensors of a dtype. */
  record Part(int tensors, long parameters, long bytes) {
    private Part plus(TensorFile.Info info) {
      return new Part(tensors + 1, parameters + info.elements(), bytes + info.bytes());
    }
  }

  /** A file of the directory. */
  record FileSize(String name, long bytes) {}

  /** A tensor. */
  record Named(String name, String dtype, long[] shape) {}

  static Inspection of(Path path, boolean list) throws IOException {
    List<String> reasons = new ArrayList<>();
    Config config = config(path, reasons);
    Map<String, Part> dtypes = new TreeMap<>();
    List<Named> named = new ArrayList<>();
    String tokenizer = Tokenizer.fileIn(path).orElse(null);
    try (TensorFile file = TensorFile.open(path)) {
      String inFile = file.metadata().get("tokenizer.ggml.model");
      tokenizer = inFile == null ? tokenizer : "in the file (" + inFile + ")";
      for (String name : file.names()) {
        try {
          TensorFile.Info info = file.info(name);
          dtypes.merge(info.type(), new Part(0, 0, 0).plus(info), (before, _) -> before.plus(info));
          named.add(new Named(name, info.type(), info.shape()));
        } catch (WeightsException e) {
          reasons.add(e.getMessage());
        }
      }
    } catch (WeightsException e) {
      reasons.add(e.getMessage());
    }
    String type = config == null ? null : config.text("model_type", null);
    String kind = type == null ? null : AutoModel.kind(config).orElse(null);
    if ("decoder".equals(kind) && EmbeddingPipeline.hasModules(path)) {
      kind = "encoder";
    }
    if (config != null && kind == null) {
      reasons.addFirst(
          "model_type is %s, expected one of %s"
              .formatted(type, String.join(", ", AutoModel.modelTypes())));
    }
    return new Inspection(
        path.toString(),
        type,
        config == null ? null : config.texts("architectures"),
        reasons.isEmpty() ? kind : null,
        reasons.stream().distinct().toList(),
        first(config, "max_position_embeddings", "n_positions", "n_ctx", "seq_length"),
        first(config, "vocab_size"),
        quantization(config),
        tokenizer,
        named.size(),
        dtypes.values().stream().mapToLong(Part::parameters).sum(),
        dtypes.values().stream().mapToLong(Part::bytes).sum(),
        dtypes,
        files(path),
        list ? named : null);
  }

  private static Config config(Path path, List<String> reasons) throws IOException {
    if (!Files.isDirectory(path) && !GgufPaths.isGguf(path)) {
      return null;
    }
    try {
      return Config.read(path);
    } catch (NoSuchFileException _) {
      reasons.add(path.resolve("config.json") + ": is missing");
      return null;
    } catch (IllegalArgumentException e) {
      reasons.add(e.getMessage());
      return null;
    }
  }

  private static Integer first(Config config, String... keys) {
    return config == null
        ? null
        : Arrays.stream(keys).filter(config::has).map(config::integer).findFirst().orElse(null);
  }

  private static String quantization(Config config) {
    return config != null && config.has("quantization_config")
        ? config.object("quantization_config").text("quant_method", "unnamed")
        : null;
  }

  private static List<FileSize> files(Path path) throws IOException {
    List<FileSize> sizes = new ArrayList<>();
    if (!Files.isDirectory(path)) {
      return List.of(new FileSize(path.getFileName().toString(), Files.size(path)));
    }
    try (Stream<Path> all = Files.list(path)) {
      for (Path each : all.filter(Files::isRegularFile).sorted().toList()) {
        sizes.add(new FileSize(each.getFileName().toString(), Files.size(each)));
      }
    }
    return sizes;
  }

  void print(Terminal terminal) {
    PrintStream out = terminal.out();
    out.println(terminal.bold(Terminal.shown(path)));
    line(out, "model type", modelType);
    line(out, "architectures", architectures == null ? null : String.join(", ", architectures));
    line(out, "context", context == null ? null : context + " tokens");
    line(out, "vocabulary", vocabulary == null ? null : vocabulary + " tokens");
    line(out, "quantization", quantization);
    line(out, "tokenizer", tokenizer);
    line(
        out,
        "weights",
        "%d tensors, %s parameters, %s".formatted(tensors, count(parameters), size(bytes)));
    dtypes.forEach(
        (dtype, part) ->
            line(
                out,
                "  " + dtype,
                "%d tensors, %s parameters, %s"
                    .formatted(part.tensors, count(part.parameters), size(part.bytes))));
    files.forEach(file -> line(out, "  " + file.name, size(file.bytes)));
    if (list != null) {
      list.forEach(
          each ->
              out.println(
                  "%s %s%s"
                      .formatted(
                          Terminal.shown(each.name), each.dtype, Arrays.toString(each.shape))));
    }
    if (runsAs != null) {
      line(out, "runs as", runsAs);
    }
    reasons.forEach(reason -> line(out, "does not run", reason));
  }

  private static void line(PrintStream out, String what, String value) {
    if (value != null && !value.isEmpty()) {
      out.printf("%-14s %s%n", Terminal.shown(what), Terminal.shown(value));
    }
  }

  private static String count(long parameters) {
    return parameters < 1_000_000
        ? Long.toString(parameters)
        : String.format(Locale.ROOT, "%.2f million", parameters / 1e6);
  }

  static String size(long bytes) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int unit = bytes < 1024 ? 0 : (63 - Long.numberOfLeadingZeros(bytes)) / 10;
    return unit == 0
        ? bytes + " bytes"
        : String.format(Locale.ROOT, "%.1f %s", bytes / Math.pow(1024, unit), units[unit]);
  }
}
