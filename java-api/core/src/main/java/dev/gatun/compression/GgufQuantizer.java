package dev.gatun.compression;

import dev.gatun.text.GgufVocabulary;
import dev.gatun.text.chat.GgufTemplates;
import dev.gatun.weights.LoadListener;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufMetadata;
import dev.gatun.weights.gguf.GgufModel;
import dev.gatun.weights.gguf.GgufTensor;
import dev.gatun.weights.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Writes models as GGUF files, their weights in one of GGUF's types or mixtures of them. */
public final class GgufQuantizer {
  private static final List<String> TOKENIZERS =
      List.of("tokenizer.json", "vocab.txt", "vocab.json");

  private GgufQuantizer() {}

  /** {@return the names of types that {@link #quantize} takes, such as {@code Q4_K_M}} */
  public static List<String> types() {
    return GgufMixture.names();
  }

  /**
   * Writes a model.
   *
   * @param model a Hugging Face directory, or a GGUF file
   * @param out the file; one that is there is replaced once the new one is whole
   * @param type one of {@link #types}: all matrices get it, but for the output layer, and but for
   *     those that a mixture (Q4_K_M, Q5_K_M) keeps wider
   * @param listener is told the bytes written, or null
   * @return what was written, by figures
   * @throws IllegalArgumentException for a type that there is none of, and naming what of the model
   *     GGUF has no words for
   * @throws IOException if a file cannot be read or written
   */
  public static QuantizedModel quantize(Path model, Path out, String type, LoadListener listener)
      throws IOException {
    return quantize(model, out, type, null, listener);
  }

  /**
   * The same where errors in some columns of weights matter more.
   *
   * @param model a Hugging Face directory, or a GGUF file
   * @param out the file; one that is there is replaced once the new one is whole
   * @param type one of {@link #types}
   * @param importance of the model's columns; null where all are alike
   * @param listener is told the bytes written, or null
   * @return what was written, by figures
   * @throws IllegalArgumentException as the other
   * @throws IOException if a file cannot be read or written
   */
  public static QuantizedModel quantize(
      Path model, Path out, String type, ImportanceMatrix importance, LoadListener listener)
      throws IOException {
    GgufMixture mixture = GgufMixture.of(type);
    try (GgufModel source = GgufModel.open(model)) {
      GgufKeys keys = source.keys();
      if (!source.isGguf()) {
        addTokenizer(model, source, keys);
      }
      keys.uint32("general.file_type", mixture.fileType());
      GgufMetadata metadata = keys.metadata(model.toString());
      boolean hasOutput = source.tensors().stream().anyMatch(t -> t.name().equals("output.weight"));
      Map<String, String> types = new TreeMap<>();
      Map<String, Integer> counts = new TreeMap<>();
      for (GgufTensor tensor : source.tensors()) {
        String as = mixture.of(tensor, metadata, hasOutput, importance != null);
        types.put(tensor.name(), as);
        counts.merge(as, 1, Integer::sum);
      }
      long bytes =
          GgufWriter.write(
              out,
              keys,
              source.tensors(),
              tensor -> types.get(tensor.name()),
              tensor -> columns(importance, source.layers().get(tensor.name()), tensor),
              (written, of) -> {
                if (listener != null) {
                  listener.loading(written, of);
                }
              });
      return new QuantizedModel(
          source.bytes(),
          bytes,
          source.tensors().stream().mapToLong(t -> t.rowCount() * t.columns()).sum(),
          counts,
          source.leftOut(),
          source.notes(),
          metadata.has("tokenizer.ggml.tokens"));
    }
  }

  private static float[] columns(ImportanceMatrix importance, String layer, GgufTensor tensor) {
    if (importance == null || layer == null) {
      return null;
    }
    return importance.of(layer).filter(c -> c.length == tensor.columns()).orElse(null);
  }

  private static void addTokenizer(Path directory, GgufModel model, GgufKeys keys)
      throws IOException {
    if (TOKENIZERS.stream().noneMatch(name -> Files.exists(directory.resolve(name)))) {
      keys.text("tokenizer.ggml.model", "no_vocab");
      return;
    }
    long rows =
        Stream.of("token_embd.weight")
            .flatMap(name -> model.tensors().stream().filter(t -> t.name().equals(name)))
            .mapToLong(GgufTensor::rowCount)
            .findAny()
            .orElse(0);
    keys.putAll(GgufVocabulary.of(directory, Math.toIntExact(rows)));
    keys.putAll(GgufTemplates.of(directory));
  }
}
