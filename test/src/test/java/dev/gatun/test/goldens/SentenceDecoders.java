package dev.gatun.test.goldens;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

/** Directories of sentence-transformers whose transformer is a small decoder. */
public final class SentenceDecoders {
  /** Texts of a few tokens and of many. */
  public static final List<String> TEXTS =
      List.of(
          "Hello",
          "The quick brown fox jumps over the lazy dog, and the dog does not mind.",
          "a",
          "Ships climb by locks: water comes in, the ship goes up, the gate opens, and on it"
              + " goes.");

  private static final Path CHAT = Path.of("goldens", "chat-model");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** An odd window, of which a half is left on each side. */
  private static final String GEMMA =
      """
      {"model_type": "gemma3_text", "hidden_size": 32, "num_attention_heads": 2,
       "num_key_value_heads": 1, "head_dim": 8, "intermediate_size": 64, "num_hidden_layers": 7,
       "query_pre_attn_scalar": 8, "sliding_window": 7, "max_position_embeddings": 64,
       "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
       "rope_local_base_freq": 10000.0, "vocab_size": 814, "use_bidirectional_attention": true,
       "bos_token_id": 801, "eos_token_id": 0, "pad_token_id": 0}
      """;

  private static final int GEMMA_HIDDEN = 32;
  private static final int DENSE = 96;

  private final Path folder;
  private final Random random = new Random(11);
  private final List<TensorFile.Entry> tensors = new ArrayList<>();

  private SentenceDecoders(Path folder) {
    this.folder = folder;
  }

  /** Qwen 3 whose texts get a token at their end, whose state is the vector. */
  public static Path qwen3(Path folder) throws IOException {
    SentenceDecoders made = new SentenceDecoders(folder);
    for (String file : List.of("config.json", "tokenizer_config.json", "model.safetensors")) {
      Files.copy(CHAT.resolve(file), folder.resolve(file));
    }
    made.tokenizer(null, "<|endoftext|>");
    made.modules("Pooling", "Normalize");
    made.write(
        "1_Pooling", "{\"pooling_mode_lasttoken\": true, \"pooling_mode_mean_tokens\": false}");
    return folder;
  }

  /**
   * EmbeddingGemma of seven layers, with a window in all but the sixth.
   *
   * @param dense whether there are linear layers behind the pooling
   */
  public static Path gemma3(Path folder, boolean dense) throws IOException {
    SentenceDecoders made = new SentenceDecoders(folder);
    Files.writeString(folder.resolve("config.json"), GEMMA);
    Files.copy(CHAT.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
    made.tokenizer("<|im_start|>", "<|endoftext|>");
    made.gemma();
    made.save(folder);
    made.write("1_Pooling", "{\"pooling_mode_mean_tokens\": true}");
    if (!dense) {
      made.modules("Pooling", "Normalize");
      return folder;
    }
    made.modules("Pooling", "Dense", "Dense", "Normalize");
    made.dense("2_Dense", GEMMA_HIDDEN, DENSE);
    made.dense("3_Dense", DENSE, GEMMA_HIDDEN);
    return folder;
  }

  private void tokenizer(String before, String after) throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(CHAT.resolve("tokenizer.json").toFile());
    ObjectNode template = JSON.createObjectNode().put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    ObjectNode known = JSON.createObjectNode();
    special(root, single, known, before);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    special(root, single, known, after);
    template.set("pair", single.deepCopy());
    template.withArray("pair").addObject().putObject("Sequence").put("id", "B").put("type_id", 0);
    template.set("special_tokens", known);
    ObjectNode both = JSON.createObjectNode().put("type", "Sequence");
    both.putArray("processors").add(root.get("post_processor")).add(template);
    root.set("post_processor", both);
    JSON.writeValue(folder.resolve("tokenizer.json").toFile(), root);
  }

  private static void special(ObjectNode root, ArrayNode pieces, ObjectNode known, String token) {
    if (token == null) {
      return;
    }
    pieces.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
    ObjectNode entry = known.putObject(token).put("id", token);
    for (var added : root.get("added_tokens")) {
      if (added.get("content").asText().equals(token)) {
        entry.putArray("ids").add(added.get("id").intValue());
      }
    }
    entry.putArray("tokens").add(token);
  }

  private void modules(String... kinds) throws IOException {
    ArrayNode all = JSON.createArrayNode();
    module(all, "Transformer", "");
    for (String kind : kinds) {
      module(all, kind, all.size() + "_" + kind);
    }
    JSON.writeValue(folder.resolve("modules.json").toFile(), all);
  }

  private static void module(ArrayNode all, String kind, String path) {
    all.addObject()
        .put("idx", all.size() - 1)
        .put("name", "" + (all.size() - 1))
        .put("path", path)
        .put("type", "sentence_transformers.models." + kind);
  }

  private void write(String module, String config) throws IOException {
    Files.createDirectories(folder.resolve(module));
    Files.writeString(folder.resolve(module).resolve("config.json"), config);
  }

  private void add(String name, double mean, double deviation, long... shape) {
    int count = (int) LongStream.of(shape).reduce(1, (a, b) -> a * b);
    MemorySegment data = Arena.ofAuto().allocate(4L * count, 64);
    for (int i = 0; i < count; i++) {
      float x = (float) (mean + deviation * random.nextGaussian());
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, x);
    }
    tensors.add(new TensorFile.Entry(name, DType.F32, shape, data, "the test"));
  }

  private void linear(String name, long out, long in) {
    add(name + ".weight", 0, 1 / Math.sqrt(in), out, in);
  }

  private void save(Path to) throws IOException {
    SafetensorsWriter.write(to.resolve("model.safetensors"), tensors, Map.of());
    tensors.clear();
  }

  private void dense(String module, int in, int out) throws IOException {
    write(
        module,
        "{\"in_features\": %d, \"out_features\": %d, \"bias\": false, \"activation_function\": \"torch.nn.modules.linear.Identity\"}"
            .formatted(in, out));
    linear("linear", out, in);
    save(folder.resolve(module));
  }

  private void gemma() {
    add("embed_tokens.weight", 0, 0.3, 814, GEMMA_HIDDEN);
    add("norm.weight", 0, 0.2, GEMMA_HIDDEN);
    for (int i = 0; i < 7; i++) {
      String layer = "layers." + i + ".";
      linear(layer + "self_attn.q_proj", 16, GEMMA_HIDDEN);
      linear(layer + "self_attn.k_proj", 8, GEMMA_HIDDEN);
      linear(layer + "self_attn.v_proj", 8, GEMMA_HIDDEN);
      linear(layer + "self_attn.o_proj", GEMMA_HIDDEN, 16);
      add(layer + "self_attn.q_norm.weight", 1, 0.2, 8);
      add(layer + "self_attn.k_norm.weight", 1, 0.2, 8);
      linear(layer + "mlp.gate_proj", 64, GEMMA_HIDDEN);
      linear(layer + "mlp.up_proj", 64, GEMMA_HIDDEN);
      linear(layer + "mlp.down_proj", GEMMA_HIDDEN, 64);
      for (String norm :
          List.of(
              "input_layernorm",
              "post_attention_layernorm",
              "pre_feedforward_layernorm",
              "post_feedforward_layernorm")) {
        add(layer + norm + ".weight", 0, 0.2, GEMMA_HIDDEN);
      }
    }
  }
}
