package dev.gatun.models;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * NomicBERT's configuration as its first checkpoints have it, with GPT-2's names and switches of
 * blocks that no checkpoint uses; those are refused by name.
 */
final class NomicBertConfig {
  private static final Map<String, String> NAMES = new LinkedHashMap<>();

  static {
    NAMES.put("n_embd", "hidden_size");
    NAMES.put("n_layer", "num_hidden_layers");
    NAMES.put("n_head", "num_attention_heads");
    NAMES.put("n_inner", "intermediate_size");
    NAMES.put("n_positions", "max_position_embeddings");
    NAMES.put("layer_norm_epsilon", "layer_norm_eps");
    NAMES.put("rotary_emb_base", "rope_theta");
  }

  private NomicBertConfig() {}

  /** The configuration with BERT's names. */
  static Config of(Config given) {
    if (!given.has("n_embd")) {
      return given.withDefault("rope_theta", 1000.0);
    }
    refuseExperts(given);
    Config config = given;
    for (Map.Entry<String, String> name : NAMES.entrySet()) {
      config = config.renamed(name.getKey(), name.getValue());
    }
    String activation = given.text("activation_function", "swiglu");
    config =
        config.withDefault(
            "hidden_act",
            switch (activation) {
              case "swiglu" -> "silu";
              case "geglu" -> "gelu";
              case "glu" -> "sigmoid";
              default -> throw given.wrong("activation_function", "swiglu, geglu or glu");
            });
    refuse(given, "prenorm", false);
    refuse(given, "parallel_block", false);
    refuse(given, "use_rms_norm", false);
    refuse(given, "qkv_proj_bias", false);
    refuse(given, "mlp_fc1_bias", false);
    refuse(given, "mlp_fc2_bias", false);
    refuse(given, "causal", false);
    refuse(given, "rotary_emb_interleaved", false);
    refuse(given, "scale_attn_weights", true);
    refuse(given, "scale_attn_by_inverse_layer_idx", false);
    // How it is computed, and what none of the blocks above that are there reads.
    given.withoutEffect(
        "dense_seq_output",
        "fused_bias_fc",
        "fused_dropout_add_ln",
        "use_flash_attn",
        "use_xentropy",
        "parallel_block_tied_norm",
        "max_trained_positions");
    int multiple = given.positive("pad_vocab_size_multiple", 1);
    int rows = given.positive("vocab_size");
    config = config.with("vocab_size", Math.ceilDiv(rows, multiple) * multiple);
    if (given.number("rotary_emb_fraction", 1) != 1) {
      throw given.wrong("rotary_emb_fraction", "1");
    }
    if (given.has("rotary_emb_scale_base")) {
      throw given.wrong("rotary_emb_scale_base", "null");
    }
    if (given.has("rotary_scaling_factor")) {
      throw given.wrong("rotary_scaling_factor", "null: it changes with the length of a sequence");
    }
    return config
        .withDefault("rope_theta", 10000.0)
        .withDefault("layer_norm_eps", 1e-5)
        .withDefault("max_position_embeddings", 1024);
  }

  /** Named before the activation, which differs in the same checkpoints. */
  private static void refuseExperts(Config config) {
    if (config.integer("num_experts", 0) > 0 && config.integer("moe_every_n_layers", 0) > 0) {
      throw config.wrong("num_experts", "0: layers of experts are not supported in a nomic_bert");
    }
  }

  private static void refuse(Config config, String key, boolean expected) {
    if (config.flag(key, expected) != expected) {
      throw config.wrong(key, String.valueOf(expected));
    }
  }
}
