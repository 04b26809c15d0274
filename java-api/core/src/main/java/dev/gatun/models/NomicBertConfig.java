package dev.gatun.models;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * NomicBERT's configuration as its first checkpoints have it, with GPT-2's names and switches of
 * blocks that no checkpoint uses; those are refused by name.
 *
 * @param config with BERT's names
 * @param gated whether the feed-forward networks have gates
 * @param attentionBias of the projections of attention
 * @param wideBias of the first layer of a feed-forward network
 * @param narrowBias of its second one
 * @param experts the mixtures in the place of some of these networks; null for none
 */
record NomicBertConfig(
    Config config,
    boolean gated,
    boolean attentionBias,
    boolean wideBias,
    boolean narrowBias,
    Experts experts) {
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

  /**
   * Mixtures of experts.
   *
   * @param count of each
   * @param perToken the experts of a token
   * @param renormalize whether their weights add up to 1
   * @param every so many layers one is a mixture, the second first
   */
  record Experts(int count, int perToken, boolean renormalize, int every) {
    static Experts of(Config config) {
      int count = config.integer("num_experts", 0);
      int every = config.integer("moe_every_n_layers", 0);
      // How it is computed, and what training adds to a loss and drops.
      config.withoutEffect("moe_impl", "router_aux_loss_coef", "moe_resid_pdrop");
      if (count <= 0 || every <= 0) {
        config.withoutEffect(
            "expert_choice_router",
            "ffn_div",
            "moe_normalize_expert_weights",
            "moe_top_k",
            "num_shared_experts");
        return null;
      }
      if (every == 1) {
        throw config.wrong("moe_every_n_layers", "0 or a number from 2: no layer's would be 1");
      }
      int perToken = config.positive("moe_top_k");
      if (perToken > count) {
        throw config.wrong("moe_top_k", "at most the %d experts".formatted(count));
      }
      refuse(config, "expert_choice_router", false);
      if (config.integer("num_shared_experts", 0) != 0) {
        throw config.wrong("num_shared_experts", "0");
      }
      if (config.number("ffn_div", 1) != 1) {
        throw config.wrong("ffn_div", "1");
      }
      return new Experts(count, perToken, isNormalized(config), every);
    }

    /** False, true, or the norm that weights are divided by, of which there is the sum. */
    private static boolean isNormalized(Config config) {
      String key = "moe_normalize_expert_weights";
      Object value = config.value(key);
      if (value instanceof Number norm && norm.doubleValue() != 0) {
        if (norm.doubleValue() != 1) {
          throw config.wrong(key, "false, true or 1");
        }
        return true;
      }
      return !(value instanceof Number) && config.flag(key, false);
    }

    boolean has(int layer) {
      return layer % every == 1;
    }
  }

  static NomicBertConfig of(Config given) {
    if (!given.has("n_embd")) {
      Config config = given.withDefault("rope_theta", 1000.0);
      return new NomicBertConfig(config, true, false, false, false, null);
    }
    Experts experts = Experts.of(given);
    Config config = given;
    for (Map.Entry<String, String> name : NAMES.entrySet()) {
      config = config.renamed(name.getKey(), name.getValue());
    }
    String activation = given.text("activation_function", "swiglu");
    boolean gated = activation.endsWith("glu");
    if (gated && experts != null) {
      throw given.wrong("activation_function", "gelu: experts have no gates");
    }
    config =
        config.withDefault(
            "hidden_act",
            switch (activation) {
              case "swiglu" -> "silu";
              case "geglu", "gelu" -> "gelu";
              case "glu" -> "sigmoid";
              default -> throw given.wrong("activation_function", "swiglu, geglu, glu or gelu");
            });
    refuse(given, "prenorm", false);
    refuse(given, "parallel_block", false);
    refuse(given, "use_rms_norm", false);
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
    config =
        config
            .withDefault("rope_theta", 10000.0)
            .withDefault("layer_norm_eps", 1e-5)
            .withDefault("max_position_embeddings", 1024);
    return new NomicBertConfig(
        config,
        gated,
        given.flag("qkv_proj_bias", false),
        given.flag("mlp_fc1_bias", false),
        given.flag("mlp_fc2_bias", false),
        experts);
  }

  private static void refuse(Config config, String key, boolean expected) {
    if (config.flag(key, expected) != expected) {
      throw config.wrong(key, String.valueOf(expected));
    }
  }
}
