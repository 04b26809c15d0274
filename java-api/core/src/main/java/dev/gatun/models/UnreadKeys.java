package dev.gatun.models;

import dev.gatun.files.Warnings;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keys of a {@code config.json} that no reader asked for, once a model was built: those that change
 * no result are known, all others are named in one warning.
 */
final class UnreadKeys {
  private static final Set<String> HARMLESS =
      Stream.of(
              // What made the file, and what it is for.
              List.of(
                  "_commit_hash",
                  "_name_or_path",
                  "_num_labels",
                  "architectures",
                  "auto_map",
                  "custom_pipelines",
                  "dtype",
                  "finetuning_task",
                  "id2label",
                  "label2id",
                  "language",
                  "name_or_path",
                  "num_labels",
                  "problem_type",
                  "task_specific_params",
                  "tokenizer_class",
                  "total_flos",
                  "torch_dtype",
                  "transformers.js_config",
                  "transformers_version"),
              // What a caller of transformers gets beside the results.
              List.of(
                  "output_attentions",
                  "output_hidden_states",
                  "output_past",
                  "output_scores",
                  "return_dict",
                  "return_dict_in_generate",
                  "torchscript",
                  "use_return_dict"),
              // Training alone.
              List.of(
                  "activation_dropout",
                  "attention_dropout",
                  "residual_dropout",
                  "router_ignore_padding_tokens",
                  "router_z_loss_coef",
                  "init_std",
                  "classif_dropout",
                  "encoder_layerdrop",
                  "decoder_layerdrop",
                  "attention_probs_dropout_prob",
                  "attn_pdrop",
                  "classifier_dropout",
                  "classifier_dropout_prob",
                  "dropout",
                  "dropout_rate",
                  "embd_pdrop",
                  "embedding_dropout",
                  "gradient_checkpointing",
                  "hidden_dropout",
                  "hidden_dropout_prob",
                  "initializer_cutoff_factor",
                  "initializer_factor",
                  "initializer_range",
                  "mlp_dropout",
                  "pooler_dropout",
                  "qa_dropout",
                  "resid_pdrop",
                  "router_aux_loss_coef",
                  "router_jitter_noise",
                  "seq_classif_dropout",
                  "sparse_pred_ignore_index",
                  "sparse_prediction",
                  "summary_first_dropout",
                  "summary_last_dropout"),
              // How something is computed, and not what.
              List.of(
                  "_attn_implementation_autoset",
                  "add_router_probs",
                  "router_dtype",
                  "attention_softmax_in_fp32",
                  "attn_implementation",
                  "bias_dropout_fusion",
                  "cache_implementation",
                  "chunk_size_feed_forward",
                  "deterministic_flash_attn",
                  "masked_softmax_fusion",
                  "pretraining_tp",
                  "reference_compile",
                  "reorder_and_upcast_attn",
                  "repad_logits_with_grad",
                  "sinusoidal_pos_embds",
                  "skip_bias_add",
                  "skip_bias_add_qkv",
                  "slow_but_exact",
                  "use_bfloat16",
                  "use_cache"),
              // Of heads, which read them where they are built, and of heads that there are not.
              List.of(
                  "classifier_activation",
                  "classifier_bias",
                  "classifier_pooling",
                  "decoder_bias",
                  "legacy",
                  "pooler_hidden_act",
                  "pooler_hidden_size",
                  "summary_activation",
                  "summary_proj_to_labels",
                  "summary_type",
                  "summary_use_proj",
                  "tie_encoder_decoder",
                  "tie_weights_",
                  "tie_word_embeddings"),
              // Lengths under names that transformers does not read, beside the one that it does.
              List.of("max_sequence_length", "model_max_length", "n_ctx", "seq_length"),
              // Of tokenizers and generation, which read them by themselves.
              List.of(
                  "bad_words_ids",
                  "begin_suppress_tokens",
                  "bos_token_id",
                  "cls_token_id",
                  "decoder_start_token_id",
                  "diversity_penalty",
                  "do_sample",
                  "early_stopping",
                  "encoder_no_repeat_ngram_size",
                  "eos_token_id",
                  "exponential_decay_length_penalty",
                  "forced_bos_token_id",
                  "forced_eos_token_id",
                  "length_penalty",
                  "mask_token_id",
                  "max_length",
                  "min_length",
                  "no_repeat_ngram_size",
                  "num_beam_groups",
                  "num_beams",
                  "num_return_sequences",
                  "pad_token_id",
                  "prefix",
                  "remove_invalid_values",
                  "repetition_penalty",
                  "sep_token_id",
                  "suppress_tokens",
                  "temperature",
                  "top_k",
                  "top_p",
                  "typical_p",
                  "unk_token_id"))
          .flatMap(List::stream)
          .collect(Collectors.toUnmodifiableSet());

  /** Values that ask for what is done anyway, of keys that are harmless with them alone. */
  private static final Map<String, String> HARMLESS_VALUES =
      Map.ofEntries(
          Map.entry("add_cross_attention", "false"),
          Map.entry("down_scale_factor", "1"),
          Map.entry("gap_size", "0"),
          Map.entry("is_decoder", "false"),
          Map.entry("is_encoder_decoder", "false"),
          Map.entry("layers_to_keep", "[]"),
          Map.entry("net_structure_type", "0"),
          Map.entry("num_memory_blocks", "0"),
          Map.entry("per_layer_config", "{}"),
          Map.entry("position_embedding_type", "absolute"),
          Map.entry("pruned_heads", "{}"),
          Map.entry("rotary", "true"),
          Map.entry("static_position_embeddings", "true"),
          Map.entry("use_mrope", "false"));

  private UnreadKeys() {}

  /** Those that may matter. */
  static Set<String> of(Config config) {
    Set<String> unread = config.unread();
    unread.removeAll(HARMLESS);
    if (Objects.equals(config.peek("decoder_vocab_size"), config.peek("vocab_size"))) {
      unread.remove("decoder_vocab_size");
    }
    // Of ModernBERT's published files, beside the name that is read.
    if (Objects.equals(config.peek("layer_norm_eps"), config.peek("norm_eps"))) {
      unread.remove("layer_norm_eps");
    }
    unread.removeIf(key -> String.valueOf(config.peek(key)).equals(HARMLESS_VALUES.get(key)));
    return unread;
  }

  /**
   * Names those that may matter.
   *
   * @throws IllegalArgumentException with the same words where {@code -Dgatun.strict=true}
   */
  static void warn(Config config) {
    Set<String> unread = of(config);
    if (!unread.isEmpty()) {
      Warnings.ignored(
          "%s: a '%s' does not read '%s': what is asked for there is not done"
              .formatted(
                  config.file(), config.text("model_type", null), String.join("', '", unread)));
    }
  }
}
