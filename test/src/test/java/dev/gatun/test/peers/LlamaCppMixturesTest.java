package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.test.goldens.SentenceDecoders;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufModel;
import dev.gatun.weights.gguf.GgufTensor;
import dev.gatun.weights.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each tensor gets the type that llama.cpp's quantiser gives it. */
@Tag("full")
final class LlamaCppMixturesTest {
  private static final Path GOLDENS = Path.of("goldens", "gguf");

  @TempDir private static Path folder;

  private static final Map<String, Integer> TYPES =
      Map.ofEntries(
          Map.entry("F16", 1),
          Map.entry("Q4_0", 2),
          Map.entry("Q4_1", 3),
          Map.entry("Q8_0", 7),
          Map.entry("Q5_0", 8),
          Map.entry("Q5_1", 9),
          Map.entry("Q4_K_M", 15),
          Map.entry("Q5_K_M", 17),
          Map.entry("Q6_K", 18),
          Map.entry("IQ4_NL", 25),
          Map.entry("IQ4_XS", 30));

  private static Path libraries;

  @BeforeAll
  static void find() {
    try {
      libraries = LlamaCpp.folder();
    } catch (IOException e) {
      abort("llama.cpp cannot be had: " + e.getMessage());
    }
  }

  private static Map<String, String> types(Path gguf) throws IOException {
    try (GgufModel model = GgufModel.open(gguf)) {
      return model.tensors().stream()
          .collect(Collectors.toMap(GgufTensor::name, GgufTensor::type, (a, _) -> a, TreeMap::new));
    }
  }

  /** A golden file with more layers, all like its second one, and another number of experts. */
  private static Path deep(String name, int layers, int experts) throws IOException {
    Path deep = folder.resolve("deep.gguf");
    try (GgufModel model = GgufModel.open(GOLDENS.resolve(name))) {
      List<GgufTensor> tensors = new ArrayList<>();
      for (GgufTensor t : model.tensors()) {
        if (!t.name().startsWith("blk.")) {
          tensors.add(t);
        }
        for (int i = 0; t.name().startsWith("blk.1.") && i < layers; i++) {
          String renamed = t.name().replace("blk.1.", "blk." + i + ".");
          tensors.add(new GgufTensor(renamed, t.shape(), t.type(), t.rows()));
        }
      }
      GgufKeys keys = model.keys();
      String architecture = keys.metadata(name).text("general.architecture").orElseThrow();
      keys.uint32(architecture + ".block_count", layers);
      if (experts > 0) {
        keys.uint32(architecture + ".expert_count", experts);
      }
      GgufWriter.write(deep, keys, tensors, GgufTensor::type, _ -> null, (_, _) -> {});
    }
    return deep;
  }

  private static void add(List<TensorFile.Entry> tensors, String name, long... shape) {
    long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    MemorySegment data = Arena.ofAuto().allocate(4 * count, 64);
    for (long i = 0; i < count; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i * 37 % 101 - 50) / 100f);
    }
    tensors.add(new TensorFile.Entry(name + ".weight", DType.F32, shape, data, "the test"));
  }

  /** LLaMA or Mixtral of eight layers, whose vectors have as many features as a block. */
  private static Path wide(int experts) throws IOException {
    List<TensorFile.Entry> tensors = new ArrayList<>();
    add(tensors, "model.embed_tokens", 64, 256);
    add(tensors, "model.norm", 256);
    add(tensors, "lm_head", 64, 256);
    for (int i = 0; i < 8; i++) {
      String layer = "model.layers." + i + ".";
      add(tensors, layer + "input_layernorm", 256);
      add(tensors, layer + "post_attention_layernorm", 256);
      add(tensors, layer + "self_attn.q_proj", 256, 256);
      add(tensors, layer + "self_attn.k_proj", 64, 256);
      add(tensors, layer + "self_attn.v_proj", 64, 256);
      add(tensors, layer + "self_attn.o_proj", 256, 256);
      if (experts == 0) {
        add(tensors, layer + "mlp.gate_proj", 256, 256);
        add(tensors, layer + "mlp.up_proj", 256, 256);
        add(tensors, layer + "mlp.down_proj", 256, 256);
      } else {
        add(tensors, layer + "block_sparse_moe.gate", experts, 256);
      }
      for (int e = 0; e < experts; e++) {
        String expert = layer + "block_sparse_moe.experts." + e + ".";
        add(tensors, expert + "w1", 32, 256);
        add(tensors, expert + "w2", 256, 32);
        add(tensors, expert + "w3", 32, 256);
      }
    }
    Path directory = Files.createTempDirectory(folder, "wide");
    SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of());
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "%s", "hidden_size": 256, "num_attention_heads": 8, "rms_norm_eps": 1e-5,
         "num_key_value_heads": 2, "intermediate_size": %d, "num_hidden_layers": 8,
         "num_local_experts": %d, "num_experts_per_tok": 2, "max_position_embeddings": 64,
         "vocab_size": 64, "tie_word_embeddings": false, "sliding_window": null}
        """
            .formatted(
                experts == 0 ? "llama" : "mixtral", experts == 0 ? 256 : 32, Math.max(2, experts)));
    Path gguf = folder.resolve("wide.gguf");
    GgufQuantizer.quantize(directory, gguf, "F32", null);
    return gguf;
  }

  @ParameterizedTest
  @CsvSource({
    "llama-gqa, 32, 0",
    "llama-gqa, 80, 0",
    "qwen3, 28, 0",
    "mixtral, 20, 8",
    "mixtral, 20, 4",
    "falcon, 32, 0",
    "falcon-new, 32, 0",
    "phi3, 32, 0",
    "gemma, 18, 0",
    "gemma3, 26, 0",
    "cohere, 40, 0",
    "starcoder2, 30, 0",
    "gpt2, 12, 0",
    "bloom, 24, 0",
    "gpt-neox, 16, 0",
    "bert-tokens, 12, 0",
    "nomic-bert-tokens, 12, 0"
  })
  void types_are_llama_cpps(String name, int layers, int experts) throws IOException {
    compare(name, deep(name + ".gguf", layers, experts));
  }

  /** Rows that blocks of 256 divide, and groups of four heads, beside experts and without. */
  @ParameterizedTest
  @ValueSource(ints = {0, 4, 8})
  void types_of_wide_rows_are_too(int experts) throws IOException {
    compare("a model of %d experts".formatted(experts), wide(experts));
  }

  @Test
  void types_of_an_embedding_model_are_too() throws IOException {
    Path directory = SentenceDecoders.gemma3(Files.createTempDirectory(folder, "gemma"), true);
    Path gguf = folder.resolve("embedding.gguf");
    GgufQuantizer.quantize(directory, gguf, "F32", null);
    compare("gemma-embedding", gguf);
  }

  private static void compare(String name, Path gguf) throws IOException {
    Path mine = folder.resolve("mine.gguf");
    Path theirs = folder.resolve("theirs.gguf");
    for (Map.Entry<String, Integer> type : TYPES.entrySet()) {
      GgufQuantizer.quantize(gguf, mine, type.getKey(), null);
      assertTrue(LlamaCpp.quantize(libraries, gguf, theirs, type.getValue()), name);
      Map<String, String> want = types(theirs);
      Map<String, String> got = types(mine);
      assertEquals(want.keySet(), got.keySet());
      want.forEach(
          (tensor, t) -> assertEquals(t, got.get(tensor), type.getKey() + " of " + tensor));
    }
  }
}
