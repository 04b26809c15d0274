package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Pair;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family and every head as a block, held to what Hugging Face's models give. */
final class FamiliesTest {
  private static final List<String> INPUTS =
      List.of("input_ids", "attention_mask", "token_type_ids");
  private static final Set<String> OUTPUTS =
      Set.of(
          "logits",
          "start_logits",
          "end_logits",
          "prediction_logits",
          "seq_relationship_logits",
          "sop_logits");

  private static Stream<String> cases(String under) throws IOException {
    try (Stream<Path> folders = Files.list(Models.GOLDENS.resolve(under))) {
      return folders
          .filter(f -> Files.exists(f.resolve("config.json")))
          .filter(f -> Files.exists(f.resolve("expected.safetensors")))
          .map(f -> Models.GOLDENS.relativize(f).toString())
          .sorted()
          .toList()
          .stream();
    }
  }

  /** A head of each kind; all of them is a longer test. */
  static Stream<String> encoders() {
    return Stream.of(
        "bert-mlm",
        "bert-pretraining",
        "bert-nsp",
        "albert-pretraining",
        "electra-discriminator",
        "deberta-v2-qa",
        "modernbert-tokens",
        "bart-classify",
        "quantized/gptq-act-order",
        "quantized/awq");
  }

  static Stream<String> decoders() {
    return Stream.of(
        "decoders/llama-gqa",
        "decoders/gpt2",
        "decoders/qwen2-gptq-act-order",
        "decoders/mistral-awq",
        "encoder-decoders/bart",
        "encoder-decoders/t5");
  }

  static Stream<String> all() throws IOException {
    return Stream.of(cases(""), cases("decoders"), cases("encoder-decoders"), cases("quantized"))
        .flatMap(stream -> stream);
  }

  @ParameterizedTest
  @MethodSource({"encoders", "decoders"})
  void a_block_gives_what_transformers_gives(String golden) throws Exception {
    check(golden);
  }

  @ParameterizedTest
  @MethodSource("all")
  @Tag("full")
  void all_blocks_give_what_transformers_gives(String golden) throws Exception {
    check(golden);
  }

  private static void check(String golden) throws Exception {
    Path path = Models.GOLDENS.resolve(golden);
    Models.givingBack(
        () -> {
          try (TensorFile expected = TensorFile.open(path.resolve("expected.safetensors"));
              ZooModel<NDList, NDList> model = Models.load(path);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList inputs = inputs(manager, path, expected);
            boolean isSeq2Seq = golden.startsWith("encoder-decoders");
            NDList outputs = predictor.predict(inputs);
            NDArray mask = isSeq2Seq ? null : inputs.get("attention_mask");
            List<String> seen = new ArrayList<>();
            for (NDArray output : outputs) {
              String key = "out." + output.getName();
              if (OUTPUTS.contains(output.getName()) && expected.names().contains(key)) {
                compare(expected, key, output, mask);
                seen.add(output.getName());
              }
            }
            Set<String> wanted = new HashSet<>(OUTPUTS);
            wanted.removeIf(name -> !expected.names().contains("out." + name));
            assertEquals(wanted, Set.copyOf(seen), "all of what transformers gives is compared");
            checkParameters(path, model);
          }
        });
  }

  /** What a golden's model was given, by name. */
  static NDList inputs(NDManager manager, Path path, TensorFile expected) throws IOException {
    NDList inputs = new NDList();
    for (String name : INPUTS) {
      if (expected.names().contains("in." + name)) {
        NDArray array = longs(manager, expected, "in." + name);
        array.setName(name);
        inputs.add(array);
      }
    }
    if (path.getParent().endsWith("encoder-decoders")) {
      NDArray targets = targets(manager, path, expected);
      targets.setName("decoder_input_ids");
      inputs.add(targets);
    }
    return inputs;
  }

  static NDArray longs(NDManager manager, TensorFile file, String name) {
    TensorFile.Entry entry = file.get(name);
    long[] values = new long[(int) entry.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = entry.data().getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
    }
    return manager.create(values, new Shape(entry.shape()));
  }

  /** The labels a place further, behind what the model's targets begin with. */
  private static NDArray targets(NDManager manager, Path path, TensorFile expected)
      throws IOException {
    JsonNode config = new ObjectMapper().readTree(path.resolve("config.json").toFile());
    long pad = config.get("pad_token_id").asLong();
    NDArray labels = longs(manager, expected, "in.labels");
    int length = (int) labels.size(1);
    long[] ids = labels.toLongArray();
    long[] shifted = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = ids[i] == -100 ? pad : ids[i];
    }
    for (int row = 0; row < ids.length; row += length) {
      System.arraycopy(ids, row, shifted, row + 1, length - 1);
      shifted[row] = config.path("decoder_start_token_id").asLong();
      if (config.get("model_type").asText().equals("mbart")) {
        int last = length - 1;
        while (ids[row + last] == pad) {
          last--;
        }
        shifted[row] = ids[row + last];
      }
    }
    return manager.create(shifted, labels.getShape());
  }

  private static void compare(TensorFile file, String key, NDArray got, NDArray mask) {
    TensorFile.Entry entry = file.get(key);
    assertArrayEquals(entry.shape(), got.getShape().getShape(), key);
    float[] values = got.toFloatArray();
    long[] tokens =
        mask != null && got.getShape().dimension() >= 2 && got.size(1) == mask.size(1)
            ? mask.toLongArray()
            : null;
    int each = tokens == null ? 1 : values.length / tokens.length;
    for (int i = 0; i < values.length; i++) {
      if (tokens == null || tokens[i / each] != 0) {
        float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
        assertEquals(want, values[i], 1e-4 * Math.max(1, Math.abs(want)), key);
      }
    }
  }

  /** Each weight of the file that the model uses is a parameter of its name, shape and numbers. */
  private static void checkParameters(Path path, ZooModel<?, ?> model) throws IOException {
    Map<String, Parameter> parameters = new java.util.HashMap<>();
    for (Pair<String, Parameter> pair : model.getBlock().getParameters()) {
      parameters.put(pair.getKey(), pair.getValue());
    }
    Set<String> unused = Set.copyOf(((GatunSymbolBlock) model.getBlock()).model().unusedWeights());
    try (TensorFile file = TensorFile.open(path)) {
      Set<String> names = new HashSet<>(file.names());
      names.removeAll(unused);
      assertEquals(names, parameters.keySet());
      for (String name : names) {
        TensorFile.Entry entry = file.get(name);
        NDArray array = parameters.get(name).getArray();
        assertEquals(new Shape(entry.shape()), parameters.get(name).getShape(), name);
        assertTrue(
            entry.data().mismatch(java.lang.foreign.MemorySegment.ofBuffer(array.toByteBuffer()))
                < 0,
            name);
      }
    }
  }
}
