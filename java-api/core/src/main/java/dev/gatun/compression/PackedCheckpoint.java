package dev.gatun.compression;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.TextFile;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Model;
import dev.gatun.nn.Compute;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.GgufTokenizerFiles;
import dev.gatun.text.chat.GgufTemplates;
import dev.gatun.weights.BlocksMethod;
import dev.gatun.weights.LoadListener;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Writes models as directories of Hugging Face's form whose linear layers are in blocks: {@link
 * BlocksMethod}. They load as what {@code Storage} makes of the model's floats, to the bit, without
 * the floats.
 */
public final class PackedCheckpoint {
  private static final String WEIGHT = ".weight";
  private static final String CONFIG = "config.json";
  private static final String METHOD = "quantization_config";

  // Files of weights, and what lists them.
  private static final String WEIGHTS_FILE =
      ".*\\.(safetensors|bin|pt|pth|h5|msgpack|onnx|onnx_data|gguf|ot|npz)|.*\\.index\\.json|"
          + "config\\.json|\\..*";

  // Steps of sentence-transformers, and further templates.
  private static final String FOLDER = "\\d+_.*|additional_chat_templates";

  /** Bytes of floats that become blocks at once. */
  private static final long PART = 32L << 20;

  private PackedCheckpoint() {}

  /** {@return the names of the formats that {@link #write} is for; GGML's are in GGUF files} */
  public static List<String> types() {
    return BlockFormat.all()
        .filter(format -> !BlockFormat.GGML.contains(format))
        .map(BlockFormat::toString)
        .toList();
  }

  /**
   * Writes a model.
   *
   * @param model a Hugging Face directory, or a GGUF file
   * @param out the directory; it must not be there yet
   * @param format of the blocks
   * @param listener is told how far reading the weights is, or null
   * @return what was written, by figures
   * @throws IllegalArgumentException for a model that is quantised by another method, is of no
   *     known type, or has no linear layer that can be in blocks
   * @throws IOException if a file cannot be read or written; then there is no directory
   */
  public static QuantizedModel write(
      Path model, Path out, BlockFormat format, LoadListener listener) throws IOException {
    Optional<Path> gguf = GgufFile.find(model);
    if (Files.exists(out)) {
      throw new IOException(out + ": is there already; expected the name of a new directory");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new IOException("%s: there is no directory %s".formatted(out, folder));
    }
    ObjectNode config = config(model, gguf);
    List<String> rows = rowWeights(model, config.path("model_type").asText());
    Path part =
        out.toAbsolutePath()
            .resolveSibling(
                "%s.%d.part".formatted(out.getFileName(), ProcessHandle.current().pid()));
    Files.createDirectory(part);
    try (TensorFile file = TensorFile.open(model).watchedBy(listener);
        Arena arena = Arena.ofShared()) {
      Made made = entries(file, Set.copyOf(rows), format, arena);
      if (made.blocks == 0) {
        throw new IllegalArgumentException(
            "%s: no linear layer of %s has rows of output features that blocks of %s divide"
                .formatted(model, config.path("model_type").asText(), format));
      }
      SafetensorsWriter.write(
          part.resolve("model.safetensors"), made.entries, Map.of("format", "pt"));
      config
          .putObject(METHOD)
          .put("quant_method", BlocksMethod.NAME)
          .put("format", format.toString());
      JsonMapper.builder()
          .build()
          .writerWithDefaultPrettyPrinter()
          .writeValue(part.resolve(CONFIG).toFile(), config);
      boolean tokenizer;
      if (gguf.isPresent()) {
        tokenizer = GgufTokenizerFiles.write(gguf.get(), part);
        GgufTemplates.write(gguf.get(), part);
      } else {
        copyOthers(model, part);
        tokenizer =
            Stream.of(
                    "tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")
                .anyMatch(name -> Files.exists(part.resolve(name)));
      }
      long bytes = Files.size(part.resolve("model.safetensors"));
      Files.move(part, out);
      return new QuantizedModel(
          made.sourceBytes, bytes, made.elements, made.types, List.of(), List.of(), tokenizer);
    } finally {
      delete(part);
    }
  }

  private static ObjectNode config(Path model, Optional<Path> gguf) throws IOException {
    if (gguf.isPresent()) {
      try (GgufFile file = GgufFile.open(gguf.get())) {
        return file.config();
      }
    }
    JsonNode config = TextFile.json(model.resolve(CONFIG), WeightsException::new);
    if (!(config instanceof ObjectNode object)) {
      throw new WeightsException(model.resolve(CONFIG) + ": expected a JSON object");
    }
    if (object.hasNonNull(METHOD)) {
      throw new WeightsException(
          "%s: '%s' is %s, expected none: take the model as it was before it was quantised"
              .formatted(model.resolve(CONFIG), METHOD, object.get(METHOD)));
    }
    return object;
  }

  /** What the model takes as rows of output features; it is loaded to ask it, in little memory. */
  private static List<String> rowWeights(Path path, String type) throws IOException {
    WeightTypes types = WeightTypes.of(Storage.INT8);
    try (Model model =
        switch (AutoModel.kind(type).orElse("")) {
          case "encoder" -> AutoModel.load(path, Device.cpu(), types.storage(), Compute.EXACT);
          case "encoder-decoder" ->
              AutoModel.loadSeq2SeqLm(path, Device.cpu(), types, Compute.EXACT, null);
          default -> AutoModel.loadCausalLm(path, Device.cpu(), types, Compute.EXACT, null);
        }) {
      return model.rowWeights();
    }
  }

  private record Made(
      List<TensorFile.Entry> entries,
      long sourceBytes,
      long elements,
      int blocks,
      Map<String, Integer> types) {}

  private static Made entries(TensorFile file, Set<String> rows, BlockFormat format, Arena arena) {
    List<TensorFile.Entry> entries = new ArrayList<>();
    Map<String, Integer> types = new TreeMap<>();
    long elements = 0;
    long source = 0;
    int blocks = 0;
    for (String name : file.names()) {
      source += file.info(name).bytes();
      elements += file.info(name).elements();
      TensorFile.Entry entry = file.get(name);
      long[] shape = entry.shape();
      boolean fits =
          rows.contains(name)
              && shape.length == 2
              && shape[1] % format.blockSize(Math.toIntExact(shape[1])) == 0;
      TensorFile.Entry kept = fits ? blocks(entry, format, arena) : entry;
      blocks += fits ? 1 : 0;
      types.merge(fits ? format.toString() : entry.dtype().toString(), 1, Integer::sum);
      entries.add(kept);
    }
    return new Made(entries, source, elements, blocks, types);
  }

  private static TensorFile.Entry blocks(TensorFile.Entry entry, BlockFormat format, Arena arena) {
    long rows = entry.shape()[0];
    long columns = entry.shape()[1];
    long rowBytes = format.rowBytes(columns);
    MemorySegment all = arena.allocate(rows * rowBytes, 64);
    Device device = Device.cpu();
    long width = columns * entry.dtype().bytes();
    long each = Math.clamp(PART / width, 1, rows);
    for (long first = 0; first < rows; first += each) {
      long last = Math.min(rows, first + each);
      try (Scope _ = Scope.open()) {
        MemorySegment part = entry.data().asSlice(first * width, (last - first) * width);
        Tensor x = Tensor.adopt(device, entry.dtype(), part, last - first, columns);
        Tensor y = Quantization.quantize(x, format);
        device
            .memory()
            .read(
                y.operand().buffer(),
                y.operand().byteOffset(),
                all.asSlice(first * rowBytes, (last - first) * rowBytes));
      } catch (IllegalArgumentException e) {
        throw new WeightsException(
            "%s, rows from %d on: %s".formatted(entry, first, e.getMessage()), e);
      }
    }
    String name = entry.name();
    return new TensorFile.Entry(
        name.substring(0, name.length() - WEIGHT.length()) + BlocksMethod.TENSOR,
        DType.U8,
        new long[] {rows, rowBytes},
        all,
        entry.source());
  }

  /** Tokenizers, templates and settings. */
  private static void copyOthers(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file) && !name.matches(WEIGHTS_FILE)) {
          Files.copy(file, to.resolve(name));
        } else if (Files.isDirectory(file) && name.matches(FOLDER)) {
          copyAll(file, to.resolve(name));
        }
      }
    }
  }

  private static void copyAll(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectory(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
