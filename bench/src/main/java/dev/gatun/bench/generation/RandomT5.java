package dev.gatun.bench.generation;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Writes a T5 of t5-base's shape with seeded random weights as a Hugging Face directory, F32. */
public final class RandomT5 {
  static final int VOCABULARY = 32128;
  static final int LAYERS = 12;
  static final int HEADS = 12;
  static final int SIZE = 64;

  private static final int HIDDEN = 768;
  private static final int INNER = 3072;
  private static final int BUCKETS = 32;

  /**
   * Of the embeddings: small, so that the layers and not the last token say what comes next, and no
   * text is one token again and again.
   */
  private static final double EMBEDDINGS = 0.05;

  private final Arena arena;
  private final List<TensorFile.Entry> tensors = new ArrayList<>();

  private RandomT5(Arena arena) {
    this.arena = arena;
  }

  /** The directory beneath a folder; written on the first call. */
  public static Path directory(Path folder) throws IOException {
    Path directory = folder.resolve("t5-base");
    Path file = directory.resolve("model.safetensors");
    if (!Files.exists(file)) {
      Files.createDirectories(directory);
      new ObjectMapper().writeValue(directory.resolve("config.json").toFile(), config());
      Path part = directory.resolve("model.part");
      Files.deleteIfExists(part);
      try (Arena arena = Arena.ofShared()) {
        RandomT5 model = new RandomT5(arena);
        model.fill();
        SafetensorsWriter.write(part, model.tensors, Map.of("format", "pt"));
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return directory;
  }

  private static Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", "t5");
    config.put("architectures", List.of("T5ForConditionalGeneration"));
    config.put("vocab_size", VOCABULARY);
    config.put("d_model", HIDDEN);
    config.put("num_layers", LAYERS);
    config.put("num_decoder_layers", LAYERS);
    config.put("num_heads", HEADS);
    config.put("d_kv", SIZE);
    config.put("d_ff", INNER);
    config.put("feed_forward_proj", "relu");
    config.put("relative_attention_num_buckets", BUCKETS);
    config.put("relative_attention_max_distance", 128);
    config.put("layer_norm_epsilon", 1e-6);
    config.put("is_encoder_decoder", true);
    config.put("pad_token_id", 0);
    config.put("eos_token_id", 1);
    config.put("decoder_start_token_id", 0);
    return config;
  }

  private void fill() {
    matrix("shared", VOCABULARY, HIDDEN, EMBEDDINGS);
    for (String stack : List.of("encoder", "decoder")) {
      boolean decoder = stack.equals("decoder");
      for (int i = 0; i < LAYERS; i++) {
        String block = "%s.block.%d.layer.".formatted(stack, i);
        attention(block + "0.SelfAttention.");
        norm(block + "0.layer_norm");
        if (i == 0) {
          matrix(block + "0.SelfAttention.relative_attention_bias", BUCKETS, HEADS, 0.5);
        }
        if (decoder) {
          attention(block + "1.EncDecAttention.");
          norm(block + "1.layer_norm");
        }
        String last = block + (decoder ? 2 : 1);
        matrix(last + ".DenseReluDense.wi", INNER, HIDDEN, Math.pow(HIDDEN, -0.5));
        matrix(last + ".DenseReluDense.wo", HIDDEN, INNER, Math.pow(INNER, -0.5));
        norm(last + ".layer_norm");
      }
      norm(stack + ".final_layer_norm");
    }
  }

  private void attention(String prefix) {
    // Scores are not scaled.
    matrix(prefix + "q", HEADS * SIZE, HIDDEN, Math.pow((double) HIDDEN * SIZE, -0.5));
    for (String name : List.of("k", "v", "o")) {
      matrix(prefix + name, HIDDEN, HIDDEN, Math.pow(HIDDEN, -0.5));
    }
  }

  private void norm(String name) {
    add(name, 1, HIDDEN, 0);
  }

  private void matrix(String name, int rows, int columns, double deviation) {
    add(name, rows, columns, deviation);
  }

  /** Uniform numbers of a deviation; ones of none. */
  private void add(String name, int rows, int columns, double deviation) {
    MemorySegment data = arena.allocate(4L * rows * columns, 64);
    float width = (float) (2 * Math.sqrt(3) * deviation);
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            row -> {
              SplittableRandom random = new SplittableRandom(31L * name.hashCode() + row);
              for (int i = 0; i < columns; i++) {
                float x = deviation == 0 ? 1 : width * (random.nextFloat() - 0.5f);
                data.setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * columns + i, x);
              }
            });
    long[] shape = deviation == 0 ? new long[] {columns} : new long[] {rows, columns};
    tensors.add(new TensorFile.Entry(name + ".weight", DType.F32, shape, data, "random"));
  }

  /** The weights that a parameter of what bench/make/t5_torchscript.py and t5_onnx.py write is. */
  public static String[] names(String parameter) {
    String[] parts = parameter.split("\\.");
    String stack = parts[0].replaceFirst("_.*", "");
    if (!parts[1].matches("\\d+")) {
      return new String[] {
        switch (parts[0]) {
          case "shared" -> "shared.weight";
          case "encoder_norm", "decoder_norm" -> stack + ".final_layer_norm.weight";
          default -> stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        }
      };
    }
    String block = "%s.block.%s.layer.".formatted(stack, parts[1]);
    String last = block + (stack.equals("decoder") ? 2 : 1);
    String own = block + "0.SelfAttention.";
    String cross = block + "1.EncDecAttention.";
    return switch (parts[2]) {
      case "norm" -> new String[] {block + "0.layer_norm.weight"};
      case "qkv" -> new String[] {own + "q.weight", own + "k.weight", own + "v.weight"};
      case "o" -> new String[] {own + "o.weight"};
      case "cross_norm" -> new String[] {block + "1.layer_norm.weight"};
      case "cross_q" -> new String[] {cross + "q.weight"};
      case "cross_kv" -> new String[] {cross + "k.weight", cross + "v.weight"};
      case "cross_o" -> new String[] {cross + "o.weight"};
      default ->
          new String[] {
            parts[3].equals("norm")
                ? last + ".layer_norm.weight"
                : last + ".DenseReluDense." + parts[3] + ".weight"
          };
    };
  }
}
