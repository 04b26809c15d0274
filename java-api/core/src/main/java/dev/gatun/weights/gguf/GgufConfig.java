package dev.gatun.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes the {@code config.json} of the Hugging Face model that a file was made of. */
final class GgufConfig {
  private static final double THETA = 10000;

  /** What no model is without; a model would name it as Hugging Face does. */
  private static final List<String> REQUIRED =
      List.of("embedding_length", "block_count", "attention.head_count");

  private static final String OTHER_KEYS =
      """
      attention.key_length head_dim
      attention.causal is_causal
      rope.freq_base rope_theta
      rope.dimension_count partial_rotary_factor
      rope.scaling.type rope_type
      rope.scaling.factor factor
      rope.scaling.original_context_length original_max_position_embeddings
      rope.scaling.attn_factor attention_factor
      rope.scaling.yarn_beta_fast beta_fast
      rope.scaling.yarn_beta_slow beta_slow
      tokenizer.ggml.bos_token_id bos_token_id
      tokenizer.ggml.eos_token_id eos_token_id
      tokenizer.ggml.padding_token_id pad_token_id
      """;

  private final GgufMetadata metadata;
  private final GgufArchitecture architecture;
  private final Map<String, GgufHeader.Slot> tensors;
  private final Map<String, float[]> settings;
  private final ObjectNode config = Json.object();

  private GgufConfig(
      GgufMetadata metadata,
      GgufArchitecture architecture,
      Map<String, GgufHeader.Slot> tensors,
      Map<String, float[]> settings) {
    this.metadata = metadata;
    this.architecture = architecture;
    this.tensors = tensors;
    this.settings = settings;
  }

  /**
   * The architecture that a file names.
   *
   * @throws WeightsException where it is none that is known
   */
  static GgufArchitecture architecture(
      GgufMetadata metadata, Map<String, GgufHeader.Slot> tensors) {
    String name =
        metadata
            .text("general.architecture")
            .orElseThrow(() -> metadata.wrong("general.architecture", "a name"));
    String kind = metadata.text("general.type").orElse("model");
    if (!kind.equals("model")) {
      throw metadata.wrong(
          "general.type", "'model': a LoRA, say, is none, and is not applied to one");
    }
    boolean experts = metadata.integer(name + ".expert_count", 0) > 0;
    boolean norms = tensors.containsKey("blk.0.attn_norm_2.weight");
    boolean gate = tensors.containsKey("enc.blk.0.ffn_gate.weight");
    GgufArchitecture variant =
        GgufArchitecture.of(name + (experts ? "+experts" : norms ? "+norms" : gate ? "+gate" : ""));
    GgufArchitecture found = variant == null ? GgufArchitecture.of(name) : variant;
    if (found == null || name.contains("+")) {
      throw new WeightsException(
          "%s: general.architecture is '%s', of which there is no model here; expected one of %s"
              .formatted(metadata.source(), name, String.join(", ", GgufArchitecture.names())));
    }
    if (name.equals("gemma3") && tensors.containsKey("dense.0.weight")) {
      throw new WeightsException(
          "%s: general.architecture is 'gemma3' and there is a tensor dense.0.weight, as Ollama writes EmbeddingGemma; expected llama.cpp's file, whose architecture is 'gemma-embedding'"
              .formatted(metadata.source()));
    }
    return found;
  }

  /**
   * The configuration.
   *
   * @param settings tensors of constants, by their names in it
   */
  static ObjectNode of(
      GgufMetadata metadata,
      GgufArchitecture architecture,
      Map<String, GgufHeader.Slot> tensors,
      Map<String, float[]> settings) {
    GgufConfig made = new GgufConfig(metadata, architecture, tensors, settings);
    made.write();
    return made.config;
  }

  /** The file's own names of the keys of a configuration, where it has them or could. */
  static Map<String, String> keyNames(GgufMetadata metadata, GgufArchitecture architecture) {
    String prefix = architecture.written() + ".";
    Map<String, String> names = new HashMap<>();
    for (GgufArchitecture.Key key : architecture.keys()) {
      if (metadata.has(prefix + key.gguf())) {
        names.put(key.config(), prefix + key.gguf());
      } else {
        names.putIfAbsent(key.config(), prefix + key.gguf());
      }
    }
    for (String line : OTHER_KEYS.split("\n")) {
      String[] parts = line.split(" ");
      names.put(parts[1], parts[0].startsWith("tokenizer") ? parts[0] : prefix + parts[0]);
    }
    String linear = prefix + "rope.scale_linear";
    if (metadata.has(linear) && !metadata.has(names.get("factor"))) {
      names.put("factor", linear);
    }
    // Of these the tensor counts.
    names.put("vocab_size", "token_embd.weight");
    names.put("type_vocab_size", "token_types.weight");
    return names;
  }

  private String prefix() {
    return metadata.text("general.architecture").orElseThrow() + ".";
  }

  private void write() {
    config.put("model_type", architecture.modelType());
    for (GgufArchitecture.Key key : architecture.keys()) {
      Object value = metadata.scalar(prefix() + key.gguf());
      if (value != null) {
        config.set(key.config(), Json.node(value));
      } else if (key.otherwise() != null) {
        config.set(key.config(), literal(key.otherwise()));
      }
    }
    for (String key : REQUIRED) {
      if (!metadata.has(prefix() + key)) {
        throw metadata.wrong(prefix() + key, "a whole number");
      }
    }
    rows("token_embd.weight", "vocab_size");
    config.put("tie_word_embeddings", !tensors.containsKey("output.weight"));
    if (architecture.modelType().equals("t5")) {
      t5();
      tokens();
      return;
    }
    boolean encoder = architecture.modelType().endsWith("bert");
    if (!architecture.modelType().equals("bert")) {
      rope();
    }
    bias("attention_bias", "blk.0.attn_q.bias", "blk.0.attn_qkv.bias");
    if (!config.has("num_key_value_heads")) {
      config.set("num_key_value_heads", config.path("num_attention_heads"));
    }
    headSize();
    if (encoder) {
      config.put("type_vocab_size", 0);
      rows("token_types.weight", "type_vocab_size");
    } else {
      causal();
    }
    of(architecture.modelType());
    tokens();
  }

  /**
   * Whether a decoder's tokens see those before them alone, where the architecture leaves it open.
   */
  private void causal() {
    String key = prefix() + "attention.causal";
    if (architecture.name().equals("gemma-embedding") || metadata.flag(key, true)) {
      return;
    }
    if (config.path("sliding_window").asInt(0) > 0) {
      throw metadata.wrong(
          key, "true, for there are windows, and readers of GGUF differ in what they hide ahead");
    }
    config.put("is_causal", false);
  }

  static com.fasterxml.jackson.databind.JsonNode literal(String text) {
    try {
      return Json.read(text);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A table's rows are what they are, whatever a key says. */
  private void rows(String tensor, String key) {
    GgufHeader.Slot slot = tensors.get(tensor);
    if (slot != null && slot.shape().length == 2) {
      config.put(key, slot.shape()[0]);
    }
  }

  private void bias(String key, String... anyOf) {
    for (String tensor : anyOf) {
      if (tensors.containsKey(tensor)) {
        config.put(key, true);
        return;
      }
    }
    config.put(key, false);
  }

  /** Which has relative positions, no biases, and settings that are known by its tensors. */
  private void t5() {
    boolean gate = tensors.containsKey("enc.blk.0.ffn_gate.weight");
    if (tensors.containsKey("enc.blk.1.attn_rel_b.weight")
        || tensors.containsKey("dec.blk.1.attn_rel_b.weight")) {
      // Each layer has a table of its own.
      config.put("model_type", "umt5");
    }
    config.put("feed_forward_proj", gate ? "gated-gelu" : "relu");
    config.put("is_encoder_decoder", true);
    config.put("pad_token_id", metadata.integer("tokenizer.ggml.padding_token_id", 0));
    headSize();
    config.remove("head_dim");
  }

  private int heads() {
    return metadata.integer(prefix() + "attention.head_count", 0);
  }

  private int hidden() {
    return metadata.integer(prefix() + "embedding_length", 0);
  }

  private int headSize() {
    int heads = heads();
    int otherwise = heads == 0 ? 0 : hidden() / heads;
    int size = metadata.integer(prefix() + "attention.key_length", otherwise);
    int values = metadata.integer(prefix() + "attention.value_length", size);
    if (values != size) {
      throw metadata.wrong(
          prefix() + "attention.value_length", "%d as keys' heads are".formatted(size));
    }
    if (metadata.has(prefix() + "attention.key_length") && otherwise != size
        || Set.of("qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text", "gpt_oss")
            .contains(architecture.modelType())) {
      config.put("head_dim", size);
    }
    return size;
  }

  private void rope() {
    ObjectNode rope = Json.object();
    rope.put("rope_theta", metadata.number(prefix() + "rope.freq_base", THETA));
    int size = headSize();
    int rotary = metadata.integer(prefix() + "rope.dimension_count", size);
    if (size > 0) {
      // Also where it is the whole head, for that is not what all models take where nothing is
      // said.
      rope.put("partial_rotary_factor", (double) rotary / size);
    }
    String scaling = prefix() + "rope.scaling.";
    double factor =
        metadata.number(scaling + "factor", metadata.number(prefix() + "rope.scale_linear", 1));
    String type =
        metadata.text(scaling + "type").orElse(factor == 0 || factor == 1 ? "none" : "linear");
    switch (type) {
      case "none" -> rope.put("rope_type", "default");
      case "linear", "yarn" -> {
        rope.put("rope_type", type).put("factor", factor == 0 ? 1 : factor);
        put(rope, scaling + "original_context_length", "original_max_position_embeddings");
        put(rope, scaling + "yarn_beta_fast", "beta_fast");
        put(rope, scaling + "yarn_beta_slow", "beta_slow");
        if (type.equals("yarn")) {
          plainYarn(scaling);
        }
      }
      case "longrope" -> rope.put("rope_type", "default");
      default -> throw metadata.wrong(scaling + "type", "none, linear, yarn or longrope");
    }
    longRope(rope, scaling);
    if (!rope.path("rope_type").asText().equals("longrope")
        && metadata.number(scaling + "attn_factor", 1) != 1) {
      throw metadata.wrong(scaling + "attn_factor", "1 where the type is %s".formatted(type));
    }
    config.set("rope_parameters", rope);
  }

  /** Refuses what newer files may ask of YaRN beside the settings that the paper has. */
  private void plainYarn(String scaling) {
    // Below 0 the reader is to choose, and chooses 1.
    double share = metadata.number(scaling + "yarn_ext_factor", 1);
    if (share >= 0 && share != 1) {
      throw metadata.wrong(scaling + "yarn_ext_factor", "1");
    }
    if (metadata.number(scaling + "yarn_attn_factor", 1) != 1) {
      throw metadata.wrong(scaling + "yarn_attn_factor", "1");
    }
    if (metadata.number(scaling + "yarn_log_multiplier", 0) != 0) {
      throw metadata.wrong(scaling + "yarn_log_multiplier", "0");
    }
  }

  /** Factors for each pair: for long and short texts, or for all, as Llama 3.1's are. */
  private void longRope(ObjectNode rope, String scaling) {
    float[] all = settings.get("rope_freqs");
    float[] longer = all == null ? settings.get("long_factor") : all;
    float[] shorter = all == null ? settings.get("short_factor") : all;
    if (longer == null && shorter == null) {
      return;
    }
    if (longer == null || shorter == null) {
      throw new WeightsException(
          metadata.source()
              + ": of the tensors rope_factors_long.weight and rope_factors_short.weight one is"
              + " missing");
    }
    rope.put("rope_type", "longrope");
    factors(rope.putArray("long_factor"), longer);
    factors(rope.putArray("short_factor"), shorter);
    int context = metadata.integer(prefix() + "context_length", 0);
    if (all != null) {
      rope.put("original_max_position_embeddings", Math.max(2, context));
      rope.put("attention_factor", 1.0);
      return;
    }
    rope.put(
        "original_max_position_embeddings",
        metadata.integer(scaling + "original_context_length", context));
    put(rope, scaling + "attn_factor", "attention_factor");
  }

  private static void factors(ArrayNode array, float[] values) {
    for (float value : values) {
      array.add(value);
    }
  }

  private void put(ObjectNode object, String key, String name) {
    Object value = metadata.scalar(key);
    if (value != null) {
      object.set(name, Json.node(value));
    }
  }

  /** What some families have besides. */
  private void of(String modelType) {
    switch (modelType) {
      case "cohere" -> bias("use_qk_norm", "blk.0.attn_q_norm.weight");
      case "starcoder2" -> bias("use_bias", "blk.0.attn_q.bias");
      case "llama" -> bias("mlp_bias", "blk.0.ffn_gate.bias");
      case "qwen2_moe" -> config.put("qkv_bias", config.path("attention_bias").booleanValue());
      case "gemma2" ->
          // The largest one scales queries by the width of a head that its keys do not have.
          config.put(
              "query_pre_attn_scalar",
              metadata.integer(prefix() + "block_count", 0) == 46
                  ? hidden() / Math.max(1, heads())
                  : headSize());
      case "gemma3_text" -> {
        boolean both = architecture.name().equals("gemma-embedding");
        config.put("use_bidirectional_attention", both);
        // As of Gemma 2, of another size.
        boolean largest = !both && metadata.integer(prefix() + "block_count", 0) == 62;
        config.put("query_pre_attn_scalar", largest ? hidden() / Math.max(1, heads()) : headSize());
        ObjectNode rope = (ObjectNode) config.get("rope_parameters");
        if (!metadata.has(prefix() + "rope.freq_base")) {
          rope.put("rope_theta", 1e6);
        }
        if (config.path("sliding_window").asInt(0) == 0) {
          // Of models whose layers all see everything, for which transformers has another default.
          config.putNull("sliding_window");
        }
        // Of newer files; what others mean is the model's own.
        put(config, prefix() + "rope.freq_base_swa", "rope_local_base_freq");
        put(config, prefix() + "attention.sliding_window_pattern", "sliding_window_pattern");
      }
      case "gpt_oss" -> {
        // Its ramp ends between pairs, which no key tells.
        ObjectNode rope = (ObjectNode) config.get("rope_parameters");
        if (rope.path("rope_type").asText().equals("yarn")) {
          rope.put("truncate", false);
        }
      }
      case "phi3" -> {
        // Files of Phi-3's first months lack the window of the short models.
        if (!config.has("sliding_window")
            && metadata.integer(prefix() + "context_length", 0) == 4096) {
          config.put("sliding_window", 2047);
        }
        config.remove("attention_bias");
      }
      case "falcon" -> {
        int keys = metadata.integer(prefix() + "attention.head_count_kv", heads());
        boolean two = tensors.containsKey("blk.0.attn_norm_2.weight");
        boolean grouped = two || keys != 1 && keys != heads();
        config.put("new_decoder_architecture", grouped);
        config.put("num_ln_in_parallel_attn", two ? 2 : 1);
        config.put("multi_query", keys == 1);
        config.put("parallel_attn", true);
        config.put("bias", config.path("attention_bias").booleanValue());
      }
      case "nomic_bert" -> {
        if (architecture.name().equals("nomic-bert-moe")) {
          config.put("activation_function", "gelu");
          bias("qkv_proj_bias", "blk.0.attn_qkv.bias");
          bias("mlp_fc1_bias", "blk.0.ffn_up.bias");
          bias("mlp_fc2_bias", "blk.0.ffn_down.bias");
        }
      }
      default -> {
        // Nothing.
      }
    }
  }

  private void tokens() {
    for (String role : new String[] {"bos", "eos"}) {
      int id = metadata.integer("tokenizer.ggml." + role + "_token_id", -1);
      if (id >= 0) {
        config.put(role + "_token_id", id);
      }
    }
  }
}
