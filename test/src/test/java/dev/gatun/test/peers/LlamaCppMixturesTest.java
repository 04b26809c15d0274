package dev.gatun.test.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufModel;
import dev.gatun.weights.gguf.GgufTensor;
import dev.gatun.weights.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each tensor gets the type that llama.cpp's quantiser gives it. */
@Tag("full")
final class LlamaCppMixturesTest {
  private static final Path GOLDENS = Path.of("goldens", "gguf");

  @TempDir private static Path folder;

  private static final Map<String, Integer> TYPES =
      Map.of(
          "F16", 1, "Q4_0", 2, "Q4_1", 3, "Q8_0", 7, "Q5_0", 8, "Q5_1", 9, "Q4_K_M", 15, "Q5_K_M",
          17, "Q6_K", 18);

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
    Path gguf = deep(name + ".gguf", layers, experts);
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
