package dev.gatun.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.weights.WeightsException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Says a {@code config.json} in the keys of GGUF; what they have no words for is refused. */
final class GgufSettings {
  // Where a config.json says otherwise, the model computes what no key of GGUF can tell.
  private static final Map<String, List<String>> FIXED =
      Map.ofEntries(
          Map.entry("llama", List.of("hidden_act silu")),
          Map.entry("mistral", List.of("hidden_act silu")),
          Map.entry("mixtral", List.of("hidden_act silu")),
          Map.entry("qwen2", List.of("hidden_act silu")),
          Map.entry("qwen3", List.of("hidden_act silu")),
          Map.entry("qwen2_moe", List.of("hidden_act silu", "decoder_sparse_step 1")),
          Map.entry("qwen3_moe", List.of("hidden_act silu", "decoder_sparse_step 1")),
          Map.entry("gemma", List.of("use_bidirectional_attention false")),
          Map.entry("gemma2", List.of("use_bidirectional_attention false")),
          Map.entry("gemma3_text", List.of("sliding_window_pattern 6")),
          Map.entry("phi3", List.of("hidden_act silu")),
          Map.entry("starcoder2", List.of("hidden_act gelu_pytorch_tanh")),
          Map.entry("falcon", List.of("alibi false", "parallel_attn true", "activation gelu")),
          Map.entry(
              "gpt2",
              List.of(
                  "scale_attn_weights true",
                  "scale_attn_by_inverse_layer_idx false",
                  "activation_function gelu_new")),
          Map.entry("gpt_neox", List.of("hidden_act gelu")),
          Map.entry("bloom", List.of("apply_residual_connection_post_layernorm false")),
          Map.entry("cohere", List.of("hidden_act silu")),
          Map.entry("bert", List.of("hidden_act gelu", "is_decoder false")),
          Map.entry(
              "nomic_bert",
              List.of(
                  "hidden_act silu",
                  "prenorm false",
                  "parallel_block false",
                  "use_rms_norm false",
                  "causal false",
                  "rotary_emb_interleaved false",
                  "scale_attn_weights true",
                  "scale_attn_by_inverse_layer_idx false",
                  "moe_normalize_expert_weights false",
                  "expert_choice_router false",
                  "num_shared_experts 0")));

  // Other spellings of a key, where the table's own is missing.
  private static final Map<String, List<String>> ALSO =
      Map.of(
          "max_position_embeddings", List.of("n_positions"),
          "layer_norm_eps", List.of("layer_norm_epsilon"),
          "hidden_size", List.of("n_embed", "n_embd"),
          "num_hidden_layers", List.of("n_layer"),
          "num_attention_heads", List.of("n_head"),
          "intermediate_size", List.of("n_inner"),
          "num_experts", List.of("num_local_experts"));

  // Keys that a config.json may lack, where the library has another value than readers of GGUF.
  private static final Map<String, String> MISSING =
      Map.ofEntries(
          Map.entry(
              "mistral",
              "max_position_embeddings 131072 num_key_value_heads 8 sliding_window 4096"),
          Map.entry("qwen2", "max_position_embeddings 32768 num_key_value_heads 32"),
          Map.entry("qwen3", "max_position_embeddings 32768 num_key_value_heads 32 head_dim 128"),
          Map.entry("qwen2_moe", "max_position_embeddings 32768 num_key_value_heads 16"),
          Map.entry(
              "qwen3_moe",
              "max_position_embeddings 32768 num_key_value_heads 4 norm_topk_prob false"),
          Map.entry("gemma", "max_position_embeddings 8192 num_key_value_heads 16 head_dim 256"),
          Map.entry(
              "gemma2",
              "max_position_embeddings 8192 num_key_value_heads 4 head_dim 256"
                  + " sliding_window 4096 query_pre_attn_scalar 256"),
          Map.entry(
              "gemma3_text",
              "max_position_embeddings 131072 num_key_value_heads 4 head_dim 256"
                  + " sliding_window 4096 query_pre_attn_scalar 256"),
          Map.entry("phi3", "max_position_embeddings 4096"),
          Map.entry("starcoder2", "max_position_embeddings 4096 num_key_value_heads 2"),
          Map.entry("cohere", "max_position_embeddings 8192 logit_scale 0.0625 rope_theta 5e5"),
          Map.entry(
              "mixtral", "max_position_embeddings 131072 num_key_value_heads 8 rope_theta 1e6"));

  private static final Set<String> WINDOWED = Set.of("gemma2", "gemma3_text", "phi3");

  private final String source;
  private final JsonNode config;
  private final GgufArchitecture architecture;
  private final String type;
  private final GgufKeys keys = new GgufKeys();
  private final Map<String, float[]> tables = new LinkedHashMap<>();
  private final List<String> notes = new ArrayList<>();

  private GgufSettings(String source, JsonNode config, GgufArchitecture architecture) {
    this.source = source;
    this.architecture = architecture;
    this.type = config.path("model_type").asText();
    this.config = withMissing(config, type);
  }

  private static JsonNode withMissing(JsonNode given, String type) {
    ObjectNode config = given.deepCopy();
    String[] missing = MISSING.getOrDefault(type, "").split(" ");
    for (int i = 0; i + 1 < missing.length; i += 2) {
      // Beside others, a base is where they are.
      boolean rope = missing[i].equals("rope_theta") && config.path("rope_parameters").isObject();
      ObjectNode to = rope ? (ObjectNode) config.get("rope_parameters") : config;
      if (!to.has(missing[i]) && !config.has(missing[i])) {
        to.set(missing[i], GgufConfig.literal(missing[i + 1]));
      }
    }
    return config;
  }

  /**
   * A model's settings.
   *
   * @param keys of the file
   * @param tables constants that are tensors of the file, by their names in the configuration
   * @param heads of queries
   * @param kvHeads of keys and values
   * @param notes what a user of the file should know
   */
  record Made(
      GgufKeys keys, Map<String, float[]> tables, int heads, int kvHeads, List<String> notes) {}

  /**
   * Says them.
   *
   * @throws WeightsException naming the key that has no words in GGUF, or is missing
   */
  static Made of(String source, JsonNode config, GgufArchitecture architecture) {
    GgufSettings settings = new GgufSettings(source, config, architecture);
    settings.refuse();
    settings.write();
    return new Made(
        settings.keys, settings.tables, settings.heads(), settings.kvHeads(), settings.notes);
  }

  private WeightsException wrong(String key, String expected) {
    return new WeightsException(
        "%s: '%s' is %s, expected %s".formatted(source, key, config.get(key), expected));
  }

  private boolean has(String key) {
    return config.hasNonNull(key);
  }

  private void refuse() {
    if (has("quantization_config")) {
      throw wrong("quantization_config", "none: take the model as it was before it was quantised");
    }
    for (String line : FIXED.getOrDefault(type, List.of())) {
      String[] parts = line.split(" ");
      if (has(parts[0]) && !config.get(parts[0]).asText().equals(parts[1])) {
        throw wrong(parts[0], "%s, which is what GGUF's %s means".formatted(parts[1], written()));
      }
    }
    if (has("mlp_only_layers") && !config.get("mlp_only_layers").isEmpty()) {
      throw wrong("mlp_only_layers", "none: layers that differ have no words in GGUF");
    }
    for (String cap : List.of("attn_logit_softcapping", "final_logit_softcapping")) {
      if (type.equals("gemma2") && config.has(cap) && !has(cap)) {
        throw wrong(cap, "a number: GGUF's gemma2 always has a cap");
      }
      boolean known = written().equals("gemma3") && cap.startsWith("final");
      if (type.equals("gemma3_text") && has(cap) && !known) {
        throw wrong(cap, "none: GGUF's %s has no such cap".formatted(written()));
      }
    }
    nomicBert();
    if (type.matches("gemma2|gemma3_text") && has("query_pre_attn_scalar")) {
      int largest = type.equals("gemma2") ? 46 : written().equals("gemma3") ? 62 : -1;
      int size =
          integer("num_hidden_layers") == largest ? hidden() / Math.max(1, heads()) : headSize();
      if (config.get("query_pre_attn_scalar").doubleValue() != size) {
        throw wrong("query_pre_attn_scalar", size + ", for readers of GGUF take that");
      }
    }
    for (String key : List.of("hidden_activation", "hidden_act")) {
      boolean gemma = type.startsWith("gemma");
      if (gemma && has(key) && !config.get(key).asText().matches("gelu(_pytorch_tanh|_new)?")) {
        throw wrong(key, "gelu_pytorch_tanh, which is what GGUF's %s means".formatted(written()));
      }
    }
  }

  /** Of GPT-2's keys, which its first checkpoints have. */
  private void nomicBert() {
    if (!type.equals("nomic_bert")) {
      return;
    }
    String activation = written().equals("nomic-bert-moe") ? "gelu" : "swiglu";
    if (has("activation_function")
        && !config.get("activation_function").asText().equals(activation)) {
      throw wrong(
          "activation_function",
          activation + ", which is what GGUF's %s means".formatted(written()));
    }
    for (String key : List.of("rotary_emb_scale_base", "rotary_scaling_factor")) {
      if (has(key)) {
        throw wrong(key, "null: it has no words in GGUF");
      }
    }
  }

  private String written() {
    return architecture.written();
  }

  private String key(String name) {
    return written() + "." + name;
  }

  private JsonNode find(String key) {
    if (has(key)) {
      return config.get(key);
    }
    return ALSO.getOrDefault(key, List.of()).stream()
        .filter(this::has)
        .findFirst()
        .map(config::get)
        .orElse(null);
  }

  private int integer(String key, int otherwise) {
    JsonNode value = find(key);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
      throw wrong(key, "a whole number from 0");
    }
    return value.intValue();
  }

  private int integer(String key) {
    int value = integer(key, -1);
    if (value < 0) {
      throw new WeightsException("%s: '%s' is missing".formatted(source, key));
    }
    return value;
  }

  private double number(String key, JsonNode value) {
    if (!value.isNumber()) {
      throw wrong(key, "a number");
    }
    return value.doubleValue();
  }

  private int heads() {
    return integer(type.equals("gpt2") ? "n_head" : "num_attention_heads");
  }

  private int kvHeads() {
    if (type.equals("falcon") && !config.path("new_decoder_architecture").asBoolean(false)) {
      return config.path("multi_query").asBoolean(true) ? 1 : heads();
    }
    return integer("num_key_value_heads", integer("num_kv_heads", heads()));
  }

  private int hidden() {
    return integer("hidden_size");
  }

  private int headSize() {
    return integer("head_dim", hidden() / Math.max(1, heads()));
  }

  private void write() {
    keys.text("general.architecture", written());
    keys.uint32("general.quantization_version", 2);
    for (GgufArchitecture.Key key : architecture.keys()) {
      JsonNode value = find(key.config());
      if (value != null) {
        put(key, value);
      }
    }
    if (!keys.values().containsKey(key("feed_forward_length"))) {
      keys.uint32(key("feed_forward_length"), 4L * hidden());
    }
    if (!keys.values().containsKey(key("context_length"))) {
      keys.uint32(key("context_length"), 2048);
    }
    keys.uint32(key("attention.head_count"), heads());
    keys.uint32(key("attention.head_count_kv"), kvHeads());
    require("embedding_length", "block_count");
    require(
        architecture.keys().stream()
            .map(GgufArchitecture.Key::gguf)
            .filter(k -> k.endsWith("epsilon"))
            .toArray(String[]::new));
    if (has("head_dim")) {
      keys.uint32(key("attention.key_length"), headSize());
      keys.uint32(key("attention.value_length"), headSize());
    }
    if (config.path("use_qk_norm").asBoolean() && integer("num_hidden_layers") < 64) {
      notes.add(
          "llama.cpp looks for norms of heads in %s of 64 layers or more".formatted(written()));
    }
    if (!type.endsWith("bert") && !config.path("is_causal").asBoolean(true)) {
      if (WINDOWED.contains(type)) {
        throw wrong("is_causal", "true: windows on both sides have no words in GGUF");
      }
      keys.flag(key("attention.causal"), false);
    }
    window();
    if (!Set.of("gpt2", "bloom", "bert").contains(type)) {
      rope();
    }
    if (type.endsWith("bert")) {
      keys.flag(key("attention.causal"), false);
      keys.uint32("tokenizer.ggml.token_type_count", integer("type_vocab_size", 2));
    }
  }

  private void require(String... names) {
    for (String name : names) {
      if (!keys.values().containsKey(key(name))) {
        String expected =
            String.join(
                " or ",
                architecture.keys().stream()
                    .filter(k -> k.gguf().equals(name))
                    .map(GgufArchitecture.Key::config)
                    .toList());
        throw new WeightsException("%s: '%s' is missing".formatted(source, expected));
      }
    }
  }

  private void put(GgufArchitecture.Key key, JsonNode value) {
    String name = key(key.gguf());
    if (value.isBoolean()) {
      keys.flag(name, value.booleanValue());
    } else if (key.gguf().matches(".*(epsilon|softcapping|scale)")) {
      keys.float32(name, number(key.config(), value));
    } else {
      keys.uint32(name, integer(key.config()));
    }
  }

  /** Tokens of a window that layers have; where GGUF has no key for it, no text is longer. */
  private void window() {
    int context = keys.metadata(source).integer(key("context_length"), 0);
    boolean on = config.path("use_sliding_window").asBoolean(!type.startsWith("qwen"));
    int window = on && !type.equals("llama") ? integer("sliding_window", context) : context;
    if (type.equals("gemma2") && has("layer_types")) {
      for (int i = 0; i < config.get("layer_types").size(); i++) {
        String expected = i % 2 == 0 ? "sliding_attention" : "full_attention";
        if (!config.get("layer_types").get(i).asText().equals(expected)) {
          throw wrong("layer_types", "sliding_attention and full_attention by turns");
        }
      }
    }
    if (type.equals("gemma3_text") && has("layer_types")) {
      for (int i = 0; i < config.get("layer_types").size(); i++) {
        String expected = i % 6 == 5 ? "full_attention" : "sliding_attention";
        if (!config.get("layer_types").get(i).asText().equals(expected)) {
          throw wrong("layer_types", "full_attention for each sixth layer alone");
        }
      }
    }
    if (WINDOWED.contains(type)) {
      keys.uint32(key("attention.sliding_window"), window);
    } else if (window < context) {
      keys.uint32(key("context_length"), window);
      notes.add(
          "the context is %d tokens, not %d: GGUF's %s has no key for the window of %d"
              .formatted(window, context, written(), window));
    }
  }

  /** The rotary settings of all versions of Hugging Face's library, as one object. */
  private ObjectNode ropeParameters() {
    ObjectNode all = ((ObjectNode) config).objectNode();
    for (String key : List.of("rope_scaling", "rope_parameters")) {
      if (config.path(key).isObject()) {
        config.get(key).properties().forEach(e -> all.set(e.getKey(), e.getValue()));
      }
    }
    for (String key :
        List.of("rope_theta", "partial_rotary_factor", "original_max_position_embeddings")) {
      if (has(key)) {
        all.set(key, config.get(key));
      }
    }
    if (type.equals("gemma3_text")) {
      return gemma3(all);
    }
    if (!all.has("rope_theta") && has("rotary_emb_base")) {
      all.set("rope_theta", config.get("rotary_emb_base"));
    }
    if (type.equals("nomic_bert") && has("rotary_emb_fraction")) {
      all.set("partial_rotary_factor", config.get("rotary_emb_fraction"));
    }
    if (type.equals("gpt_neox")) {
      if (!all.has("partial_rotary_factor")) {
        all.put("partial_rotary_factor", config.path("rotary_pct").asDouble(0.25));
      }
    }
    return all;
  }

  /** The settings of layers without a window; those with one have no words in GGUF. */
  private ObjectNode gemma3(ObjectNode all) {
    JsonNode local = all.path("sliding_attention");
    double theta =
        local.path("rope_theta").asDouble(config.path("rope_local_base_freq").asDouble(10000));
    if (theta != 10000 || !local.path("rope_type").asText("default").equals("default")) {
      throw new WeightsException(
          "%s: layers with a window turn by %s of base %s, expected the default way of base 10000, which is what GGUF's %s means"
              .formatted(source, local.path("rope_type").asText("default"), theta, written()));
    }
    ObjectNode whole = all.path("full_attention") instanceof ObjectNode own ? own.deepCopy() : all;
    if (!whole.has("rope_theta")) {
      whole.put("rope_theta", 1e6);
    }
    return whole;
  }

  private void rope() {
    ObjectNode rope = ropeParameters();
    double theta = rope.path("rope_theta").asDouble(10000);
    keys.float32(key("rope.freq_base"), theta);
    int size = headSize();
    int turned = (int) (size * rope.path("partial_rotary_factor").asDouble(1));
    keys.uint32(key("rope.dimension_count"), turned);
    String kind = rope.path("rope_type").asText(rope.path("type").asText("default"));
    switch (kind) {
      case "default" -> {
        // Nothing.
      }
      case "linear" -> {
        keys.text(key("rope.scaling.type"), "linear");
        keys.float32(key("rope.scaling.factor"), rope.path("factor").asDouble(1));
      }
      case "yarn" -> yarn(rope);
      case "llama3" -> tables.put("rope_freqs", llama3(rope, theta, turned));
      case "longrope", "su" -> longRope(rope);
      default ->
          throw new WeightsException(
              "%s: rope_type is '%s', expected default, linear, yarn, llama3 or longrope: others have no words in GGUF"
                  .formatted(source, kind));
    }
  }

  private int original(ObjectNode rope) {
    return rope.path("original_max_position_embeddings")
        .asInt(integer("max_position_embeddings", 2048));
  }

  private void yarn(ObjectNode rope) {
    for (String key : List.of("attention_factor", "mscale", "mscale_all_dim", "truncate")) {
      if (rope.hasNonNull(key)) {
        throw new WeightsException(
            "%s: '%s' of the rotary settings is %s, expected none: it has no words in GGUF"
                .formatted(source, key, rope.get(key)));
      }
    }
    keys.text(key("rope.scaling.type"), "yarn");
    keys.float32(key("rope.scaling.factor"), rope.path("factor").asDouble(1));
    keys.uint32(key("rope.scaling.original_context_length"), original(rope));
    for (String beta : List.of("beta_fast", "beta_slow")) {
      if (rope.hasNonNull(beta)) {
        keys.float32(key("rope.scaling.yarn_" + beta), rope.get(beta).doubleValue());
      }
    }
  }

  /** What divides each pair's frequency, as transformers computes llama3's. */
  private static float[] llama3(ObjectNode rope, double theta, int size) {
    double factor = rope.path("factor").asDouble();
    double low = rope.path("low_freq_factor").asDouble();
    double high = rope.path("high_freq_factor").asDouble();
    double old = rope.path("original_max_position_embeddings").asDouble();
    float[] factors = new float[size / 2];
    for (int i = 0; i < factors.length; i++) {
      double wave = 2 * Math.PI * Math.pow(theta, 2.0 * i / size);
      double smooth = Math.clamp((old / wave - low) / (high - low), 0, 1);
      factors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
    }
    return factors;
  }

  private void longRope(ObjectNode rope) {
    int original = original(rope);
    double share =
        rope.hasNonNull("factor")
            ? rope.get("factor").doubleValue()
            : (double) integer("max_position_embeddings") / original;
    double scale =
        rope.hasNonNull("attention_factor")
            ? rope.get("attention_factor").doubleValue()
            : share <= 1 ? 1 : Math.sqrt(1 + Math.log(share) / Math.log(original));
    keys.uint32(key("rope.scaling.original_context_length"), original);
    keys.float32(key("rope.scaling.attn_factor"), scale);
    for (String name : List.of("long_factor", "short_factor")) {
      JsonNode values = rope.path(name);
      float[] floats = new float[values.size()];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = values.get(i).floatValue();
      }
      if (floats.length == 0 || architecture.tensors().stream().noneMatch(t -> is(t, name))) {
        throw new WeightsException(
            "%s: rope_type is 'longrope', which %s has no words for in GGUF, or without '%s'"
                .formatted(source, written(), name));
      }
      tables.put(name, floats);
    }
  }

  private static boolean is(GgufArchitecture.Name tensor, String setting) {
    return tensor.move() == GgufArchitecture.Move.SETTING && tensor.model().equals(setting);
  }
}
