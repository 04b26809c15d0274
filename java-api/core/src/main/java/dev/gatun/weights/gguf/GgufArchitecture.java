package dev.gatun.weights.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An architecture's names in GGUF and in Hugging Face's files.
 *
 * @param name {@code general.architecture}
 * @param modelType {@code model_type}
 * @param keys of settings
 * @param tensors names without {@code .weight} and {@code .bias}
 */
record GgufArchitecture(String name, String modelType, List<Key> keys, List<Name> tensors) {
  /**
   * A setting.
   *
   * @param gguf behind the architecture's name
   * @param config in {@code config.json}
   * @param otherwise what stands for a key that is missing, as JSON; null for nothing
   */
  record Key(String gguf, String config, String otherwise) {}

  /**
   * A tensor. N stands for a layer, E for an expert.
   *
   * @param gguf its name
   * @param model its name in the model
   * @param move what was done to it
   */
  record Name(String gguf, String model, Move move) {}

  /** What the writers of GGUF do to tensors, which is undone. */
  enum Move {
    /** Nothing. */
    NONE,
    /** Rows of each head of queries paired as neighbours, not half a head apart. */
    PAIRS,
    /** The same of heads of keys. */
    KEY_PAIRS,
    /** All queries, all keys, all values, which the model has by groups of heads. */
    GROUPS,
    /** 1 added. */
    PLUS_ONE,
    /** [out_features, in_features], which the model has the other way. */
    TRANSPOSED,
    /** A row without its axis of length 1. */
    ROW,
    /** All experts in one tensor [experts, out_features, in_features]. */
    EXPERTS,
    /** The same of experts that the model has each the other way; no table names it. */
    TURNED_EXPERTS,
    /** A table of constants, which goes into the configuration. */
    SETTING;

    boolean isOfExperts() {
      return this == EXPERTS || this == TURNED_EXPERTS;
    }

    boolean isTurned() {
      return this == TRANSPOSED || this == TURNED_EXPERTS;
    }
  }

  private static final String COMMON =
      """
      context_length max_position_embeddings
      embedding_length hidden_size
      block_count num_hidden_layers
      feed_forward_length intermediate_size
      attention.head_count num_attention_heads
      attention.head_count_kv num_key_value_heads
      vocab_size vocab_size
      """;

  private static final String RMS = "attention.layer_norm_rms_epsilon rms_norm_eps\n";

  private static final String EMBEDDING =
      """
      token_embd model.embed_tokens
      output_norm model.norm
      output lm_head
      rope_freqs rope_freqs SETTING
      """;

  private static final String ATTENTION =
      """
      blk.N.attn_norm model.layers.N.input_layernorm
      blk.N.attn_q model.layers.N.self_attn.q_proj
      blk.N.attn_k model.layers.N.self_attn.k_proj
      blk.N.attn_v model.layers.N.self_attn.v_proj
      blk.N.attn_output model.layers.N.self_attn.o_proj
      """;

  private static final String LONG_ROPE =
      """
      rope_factors_long long_factor SETTING
      rope_factors_short short_factor SETTING
      """;

  private static final String PAIRED_ATTENTION =
      LONG_ROPE
          + """
          blk.N.attn_norm model.layers.N.input_layernorm
          blk.N.attn_q model.layers.N.self_attn.q_proj PAIRS
          blk.N.attn_k model.layers.N.self_attn.k_proj KEY_PAIRS
          blk.N.attn_v model.layers.N.self_attn.v_proj
          blk.N.attn_output model.layers.N.self_attn.o_proj
          """;

  private static final String HEAD_NORMS =
      """
      blk.N.attn_q_norm model.layers.N.self_attn.q_norm
      blk.N.attn_k_norm model.layers.N.self_attn.k_norm
      """;

  private static final String FFN_NORM = "blk.N.ffn_norm model.layers.N.post_attention_layernorm\n";

  private static final String MLP =
      """
      blk.N.ffn_gate model.layers.N.mlp.gate_proj
      blk.N.ffn_up model.layers.N.mlp.up_proj
      blk.N.ffn_down model.layers.N.mlp.down_proj
      """;

  private static final String EXPERTS =
      """
      blk.N.ffn_gate_inp model.layers.N.mlp.gate
      blk.N.ffn_gate_exps model.layers.N.mlp.experts.E.gate_proj EXPERTS
      blk.N.ffn_up_exps model.layers.N.mlp.experts.E.up_proj EXPERTS
      blk.N.ffn_down_exps model.layers.N.mlp.experts.E.down_proj EXPERTS
      """;

  private static final String FALCON_KEYS =
      COMMON
          + """
          attention.layer_norm_epsilon layer_norm_epsilon
          attention.head_count_kv num_kv_heads
          feed_forward_length ffn_hidden_size
          """;

  private static final String FALCON_TENSORS =
      """
      token_embd transformer.word_embeddings
      output_norm transformer.ln_f
      output lm_head
      """
          + grouped("transformer.h", "self_attention");

  private static final String GEMMA =
      """
      token_embd model.embed_tokens
      output_norm model.norm PLUS_ONE
      output lm_head
      blk.N.attn_norm model.layers.N.input_layernorm PLUS_ONE
      blk.N.attn_q model.layers.N.self_attn.q_proj
      blk.N.attn_k model.layers.N.self_attn.k_proj
      blk.N.attn_v model.layers.N.self_attn.v_proj
      blk.N.attn_output model.layers.N.self_attn.o_proj
      """;

  private static final String GEMMA3 =
      GEMMA
          + """
          blk.N.attn_q_norm model.layers.N.self_attn.q_norm PLUS_ONE
          blk.N.attn_k_norm model.layers.N.self_attn.k_norm PLUS_ONE
          blk.N.post_attention_norm model.layers.N.post_attention_layernorm PLUS_ONE
          blk.N.ffn_norm model.layers.N.pre_feedforward_layernorm PLUS_ONE
          blk.N.post_ffw_norm model.layers.N.post_feedforward_layernorm PLUS_ONE
          """
          + MLP;

  private static final String GROUPED =
      """
      blk.N.attn_norm PREFIX.N.input_layernorm
      blk.N.attn_qkv PREFIX.N.ATTENTION.query_key_value GROUPS
      blk.N.attn_output PREFIX.N.ATTENTION.dense
      blk.N.ffn_up PREFIX.N.mlp.dense_h_to_4h
      blk.N.ffn_down PREFIX.N.mlp.dense_4h_to_h
      """;

  private static final String T5_KEYS =
      """
      context_length n_positions
      embedding_length d_model
      block_count num_layers
      decoder_block_count num_decoder_layers
      feed_forward_length d_ff
      attention.head_count num_heads
      attention.key_length d_kv
      attention.relative_buckets_count relative_attention_num_buckets
      attention.layer_norm_rms_epsilon layer_norm_epsilon
      decoder_start_token_id decoder_start_token_id 0
      vocab_size vocab_size
      """;

  private static final String T5_TENSORS =
      """
      token_embd shared
      output lm_head
      enc.output_norm encoder.final_layer_norm
      dec.output_norm decoder.final_layer_norm
      enc.blk.N.attn_norm encoder.block.N.layer.0.layer_norm
      enc.blk.N.attn_q encoder.block.N.layer.0.SelfAttention.q
      enc.blk.N.attn_k encoder.block.N.layer.0.SelfAttention.k
      enc.blk.N.attn_v encoder.block.N.layer.0.SelfAttention.v
      enc.blk.N.attn_o encoder.block.N.layer.0.SelfAttention.o
      enc.blk.N.attn_rel_b encoder.block.N.layer.0.SelfAttention.relative_attention_bias
      enc.blk.N.ffn_norm encoder.block.N.layer.1.layer_norm
      enc.blk.N.ffn_up encoder.block.N.layer.1.DenseReluDense.wi
      enc.blk.N.ffn_down encoder.block.N.layer.1.DenseReluDense.wo
      dec.blk.N.attn_norm decoder.block.N.layer.0.layer_norm
      dec.blk.N.attn_q decoder.block.N.layer.0.SelfAttention.q
      dec.blk.N.attn_k decoder.block.N.layer.0.SelfAttention.k
      dec.blk.N.attn_v decoder.block.N.layer.0.SelfAttention.v
      dec.blk.N.attn_o decoder.block.N.layer.0.SelfAttention.o
      dec.blk.N.attn_rel_b decoder.block.N.layer.0.SelfAttention.relative_attention_bias
      dec.blk.N.cross_attn_norm decoder.block.N.layer.1.layer_norm
      dec.blk.N.cross_attn_q decoder.block.N.layer.1.EncDecAttention.q
      dec.blk.N.cross_attn_k decoder.block.N.layer.1.EncDecAttention.k
      dec.blk.N.cross_attn_v decoder.block.N.layer.1.EncDecAttention.v
      dec.blk.N.cross_attn_o decoder.block.N.layer.1.EncDecAttention.o
      dec.blk.N.ffn_norm decoder.block.N.layer.2.layer_norm
      dec.blk.N.ffn_up decoder.block.N.layer.2.DenseReluDense.wi
      dec.blk.N.ffn_down decoder.block.N.layer.2.DenseReluDense.wo
      """;

  private static final String T5_GATED =
      T5_TENSORS
          + """
          enc.blk.N.ffn_gate encoder.block.N.layer.1.DenseReluDense.wi_0
          enc.blk.N.ffn_up encoder.block.N.layer.1.DenseReluDense.wi_1
          dec.blk.N.ffn_gate decoder.block.N.layer.2.DenseReluDense.wi_0
          dec.blk.N.ffn_up decoder.block.N.layer.2.DenseReluDense.wi_1
          """;

  private static final String NOMIC_BERT =
      """
      token_embd embeddings.word_embeddings
      token_types embeddings.token_type_embeddings
      token_embd_norm emb_ln
      blk.N.attn_qkv encoder.layers.N.attn.Wqkv
      blk.N.attn_output encoder.layers.N.attn.out_proj
      blk.N.attn_output_norm encoder.layers.N.norm1
      blk.N.ffn_down encoder.layers.N.mlp.fc2
      blk.N.layer_output_norm encoder.layers.N.norm2
      """;

  /** Read, but not written. */
  private static final Set<String> READ_ONLY = Set.of("t5", "gpt_oss");

  private static final Map<String, GgufArchitecture> ALL =
      List.of(
              of("llama", "llama", COMMON + RMS, EMBEDDING + PAIRED_ATTENTION + FFN_NORM + MLP),
              of(
                  "llama+experts",
                  "mixtral",
                  COMMON
                      + RMS
                      + """
                      expert_count num_local_experts
                      expert_used_count num_experts_per_tok
                      """,
                  EMBEDDING
                      + PAIRED_ATTENTION
                      + FFN_NORM
                      + """
                      blk.N.ffn_gate_inp model.layers.N.block_sparse_moe.gate
                      blk.N.ffn_gate_exps model.layers.N.block_sparse_moe.experts.E.w1 EXPERTS
                      blk.N.ffn_down_exps model.layers.N.block_sparse_moe.experts.E.w2 EXPERTS
                      blk.N.ffn_up_exps model.layers.N.block_sparse_moe.experts.E.w3 EXPERTS
                      blk.N.ffn_gate.E model.layers.N.block_sparse_moe.experts.E.w1
                      blk.N.ffn_down.E model.layers.N.block_sparse_moe.experts.E.w2
                      blk.N.ffn_up.E model.layers.N.block_sparse_moe.experts.E.w3
                      """),
              of("qwen2", "qwen2", COMMON + RMS, EMBEDDING + ATTENTION + FFN_NORM + MLP),
              of(
                  "qwen3",
                  "qwen3",
                  COMMON + RMS,
                  EMBEDDING + ATTENTION + HEAD_NORMS + FFN_NORM + MLP),
              of(
                  "qwen2moe",
                  "qwen2_moe",
                  COMMON
                      + RMS
                      + """
                      expert_count num_experts
                      expert_used_count num_experts_per_tok
                      expert_feed_forward_length moe_intermediate_size
                      expert_shared_feed_forward_length shared_expert_intermediate_size
                      expert_weights_norm norm_topk_prob false
                      """,
                  EMBEDDING
                      + ATTENTION
                      + FFN_NORM
                      + EXPERTS
                      + """
                      blk.N.ffn_gate_inp_shexp model.layers.N.mlp.shared_expert_gate ROW
                      blk.N.ffn_gate_shexp model.layers.N.mlp.shared_expert.gate_proj
                      blk.N.ffn_up_shexp model.layers.N.mlp.shared_expert.up_proj
                      blk.N.ffn_down_shexp model.layers.N.mlp.shared_expert.down_proj
                      """),
              of(
                  "qwen3moe",
                  "qwen3_moe",
                  COMMON
                      + RMS
                      + """
                      expert_count num_experts
                      expert_used_count num_experts_per_tok
                      expert_feed_forward_length moe_intermediate_size
                      expert_weights_norm norm_topk_prob true
                      """,
                  EMBEDDING + ATTENTION + HEAD_NORMS + FFN_NORM + EXPERTS),
              of(
                  "gemma",
                  "gemma",
                  COMMON + RMS,
                  GEMMA
                      + "blk.N.ffn_norm model.layers.N.post_attention_layernorm PLUS_ONE\n"
                      + MLP),
              of(
                  "gemma2",
                  "gemma2",
                  COMMON
                      + RMS
                      + """
                      attn_logit_softcapping attn_logit_softcapping 50
                      final_logit_softcapping final_logit_softcapping 30
                      attention.sliding_window sliding_window 4096
                      """,
                  GEMMA
                      + """
                      blk.N.post_attention_norm model.layers.N.post_attention_layernorm PLUS_ONE
                      blk.N.ffn_norm model.layers.N.pre_feedforward_layernorm PLUS_ONE
                      blk.N.post_ffw_norm model.layers.N.post_feedforward_layernorm PLUS_ONE
                      """
                      + MLP),
              of(
                  "gemma3",
                  "gemma3_text",
                  COMMON
                      + RMS
                      + """
                      attention.sliding_window sliding_window
                      final_logit_softcapping final_logit_softcapping
                      """,
                  GEMMA3),
              of(
                  "gemma-embedding",
                  "gemma3_text",
                  COMMON + RMS + "attention.sliding_window sliding_window 512\n",
                  GEMMA3),
              of(
                  "phi3",
                  "phi3",
                  COMMON + RMS + "attention.sliding_window sliding_window\n",
                  EMBEDDING
                      + ATTENTION
                      + FFN_NORM
                      + LONG_ROPE
                      + """
                      blk.N.attn_qkv model.layers.N.self_attn.qkv_proj
                      blk.N.ffn_up model.layers.N.mlp.gate_up_proj
                      blk.N.ffn_down model.layers.N.mlp.down_proj
                      """),
              of(
                  "gpt-oss",
                  "gpt_oss",
                  COMMON
                      + RMS
                      + """
                      attention.sliding_window sliding_window 128
                      expert_count num_local_experts
                      expert_used_count num_experts_per_tok
                      expert_feed_forward_length intermediate_size
                      """,
                  EMBEDDING
                      + ATTENTION
                      + EXPERTS
                      + """
                      blk.N.attn_sinks model.layers.N.self_attn.sinks
                      blk.N.post_attention_norm model.layers.N.post_attention_layernorm
                      blk.N.ffn_gate_inp model.layers.N.mlp.router
                      """),
              of("falcon", "falcon", FALCON_KEYS, FALCON_TENSORS),
              of(
                  "falcon+norms",
                  "falcon",
                  FALCON_KEYS,
                  FALCON_TENSORS
                      + """
                      blk.N.attn_norm transformer.h.N.ln_mlp
                      blk.N.attn_norm_2 transformer.h.N.ln_attn
                      """),
              of(
                  "gpt2",
                  "gpt2",
                  """
                  context_length n_positions
                  embedding_length n_embd
                  block_count n_layer
                  feed_forward_length n_inner
                  attention.head_count n_head
                  attention.layer_norm_epsilon layer_norm_epsilon
                  vocab_size vocab_size
                  """,
                  """
                  token_embd transformer.wte
                  position_embd transformer.wpe
                  output_norm transformer.ln_f
                  output lm_head
                  blk.N.attn_norm transformer.h.N.ln_1
                  blk.N.attn_qkv transformer.h.N.attn.c_attn TRANSPOSED
                  blk.N.attn_output transformer.h.N.attn.c_proj TRANSPOSED
                  blk.N.ffn_norm transformer.h.N.ln_2
                  blk.N.ffn_up transformer.h.N.mlp.c_fc TRANSPOSED
                  blk.N.ffn_down transformer.h.N.mlp.c_proj TRANSPOSED
                  """),
              of(
                  "gptneox",
                  "gpt_neox",
                  COMMON
                      + """
                      attention.layer_norm_epsilon layer_norm_eps
                      use_parallel_residual use_parallel_residual true
                      """,
                  """
                  token_embd gpt_neox.embed_in
                  output_norm gpt_neox.final_layer_norm
                  output embed_out
                  blk.N.ffn_norm gpt_neox.layers.N.post_attention_layernorm
                  """
                      + grouped("gpt_neox.layers", "attention")),
              of(
                  "bloom",
                  "bloom",
                  COMMON
                      + """
                      context_length seq_length
                      attention.layer_norm_epsilon layer_norm_epsilon
                      """,
                  """
                  token_embd transformer.word_embeddings
                  token_embd_norm transformer.word_embeddings_layernorm
                  output_norm transformer.ln_f
                  output lm_head
                  blk.N.ffn_norm transformer.h.N.post_attention_layernorm
                  """
                      + grouped("transformer.h", "self_attention")),
              of(
                  "command-r",
                  "cohere",
                  COMMON
                      + """
                      attention.layer_norm_epsilon layer_norm_eps
                      logit_scale logit_scale
                      """,
                  EMBEDDING + ATTENTION + HEAD_NORMS + MLP),
              of(
                  "starcoder2",
                  "starcoder2",
                  COMMON + "attention.layer_norm_epsilon norm_epsilon\n",
                  EMBEDDING
                      + ATTENTION
                      + FFN_NORM
                      + """
                      blk.N.ffn_up model.layers.N.mlp.c_fc
                      blk.N.ffn_down model.layers.N.mlp.c_proj
                      """),
              of("t5", "t5", T5_KEYS, T5_TENSORS),
              of("t5+gate", "t5", T5_KEYS, T5_GATED),
              of("t5encoder", "t5", T5_KEYS, T5_TENSORS),
              of("t5encoder+gate", "t5", T5_KEYS, T5_GATED),
              of(
                  "bert",
                  "bert",
                  COMMON + "attention.layer_norm_epsilon layer_norm_eps\n",
                  """
                  token_embd embeddings.word_embeddings
                  token_types embeddings.token_type_embeddings
                  position_embd embeddings.position_embeddings
                  token_embd_norm embeddings.LayerNorm
                  blk.N.attn_q encoder.layer.N.attention.self.query
                  blk.N.attn_k encoder.layer.N.attention.self.key
                  blk.N.attn_v encoder.layer.N.attention.self.value
                  blk.N.attn_output encoder.layer.N.attention.output.dense
                  blk.N.attn_output_norm encoder.layer.N.attention.output.LayerNorm
                  blk.N.ffn_up encoder.layer.N.intermediate.dense
                  blk.N.ffn_down encoder.layer.N.output.dense
                  blk.N.layer_output_norm encoder.layer.N.output.LayerNorm
                  """),
              of(
                  "nomic-bert",
                  "nomic_bert",
                  COMMON + "attention.layer_norm_epsilon layer_norm_eps\n",
                  NOMIC_BERT
                      + """
                      blk.N.ffn_up encoder.layers.N.mlp.fc11
                      blk.N.ffn_gate encoder.layers.N.mlp.fc12
                      """),
              of(
                  "nomic-bert-moe",
                  "nomic_bert",
                  """
                  context_length n_positions
                  embedding_length n_embd
                  block_count n_layer
                  feed_forward_length n_inner
                  attention.head_count n_head
                  attention.layer_norm_epsilon layer_norm_epsilon
                  expert_count num_experts
                  expert_used_count moe_top_k
                  moe_every_n_layers moe_every_n_layers
                  vocab_size vocab_size
                  """,
                  NOMIC_BERT
                      + """
                      blk.N.ffn_up encoder.layers.N.mlp.fc1
                      blk.N.ffn_gate_inp encoder.layers.N.mlp.router.layer
                      blk.N.ffn_up_exps encoder.layers.N.mlp.experts.E.w1 EXPERTS
                      blk.N.ffn_down_exps encoder.layers.N.mlp.experts.E.w2 EXPERTS
                      """))
          .stream()
          .collect(Collectors.toMap(GgufArchitecture::name, a -> a));

  private static String grouped(String prefix, String attention) {
    return GROUPED.replace("PREFIX", prefix).replace("ATTENTION", attention);
  }

  private static GgufArchitecture of(String name, String modelType, String keys, String tensors) {
    List<Key> settings = new ArrayList<>();
    for (String[] parts : parts(keys)) {
      settings.add(new Key(parts[0], parts[1], parts.length == 2 ? null : parts[2]));
    }
    List<Name> names = new ArrayList<>();
    for (String[] parts : parts(tensors)) {
      Move move = parts.length == 2 ? Move.NONE : Move.valueOf(parts[2]);
      // A later line takes the place of an earlier one.
      names.addFirst(new Name(parts[0], parts[1], move));
    }
    return new GgufArchitecture(name, modelType, List.copyOf(settings), List.copyOf(names));
  }

  private static List<String[]> parts(String lines) {
    return Arrays.stream(lines.split("\n")).map(line -> line.split(" ")).toList();
  }

  /** The architecture of a name; null where there is none. */
  static GgufArchitecture of(String name) {
    return ALL.get(name);
  }

  /** Those that a {@code model_type} is written as; none where it has no words in GGUF. */
  static List<GgufArchitecture> ofModelType(String modelType) {
    String type = modelType.equals("mistral") ? "llama" : modelType;
    return ALL.values().stream()
        .filter(a -> a.modelType.equals(type) && !READ_ONLY.contains(type))
        .sorted(Comparator.comparing(GgufArchitecture::name))
        .toList();
  }

  /** What {@code general.architecture} has. */
  String written() {
    return name.contains("+") ? name.substring(0, name.indexOf('+')) : name;
  }

  /** Every {@code model_type} that is written. */
  static List<String> modelTypes() {
    return Stream.concat(Stream.of("mistral"), ALL.values().stream().map(a -> a.modelType))
        .filter(type -> !READ_ONLY.contains(type))
        .distinct()
        .sorted()
        .toList();
  }

  /** The names of all, in the order of the alphabet. */
  static List<String> names() {
    return ALL.keySet().stream().filter(n -> !n.contains("+")).sorted().toList();
  }
}
