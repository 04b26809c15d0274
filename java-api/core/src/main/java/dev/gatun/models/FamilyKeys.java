package dev.gatun.models;

import java.util.Map;

/**
 * What configurations of a family mean by other names of keys, and by keys that are not there: what
 * transformers' classes of them have.
 */
final class FamilyKeys {
  private static final Map<String, String> OF_GPT =
      Map.of(
          "hidden_size", "n_embd",
          "max_position_embeddings", "n_positions",
          "num_attention_heads", "n_head",
          "num_hidden_layers", "n_layer");
  private static final Map<String, String> OF_DISTILBERT =
      Map.of(
          "hidden_size", "dim",
          "num_attention_heads", "n_heads",
          "num_hidden_layers", "n_layers");
  private static final Map<String, String> OF_T5 =
      Map.of(
          "hidden_size", "d_model",
          "num_attention_heads", "num_heads",
          "num_hidden_layers", "num_layers",
          "head_dim", "d_kv");
  private static final Map<String, String> OF_BART =
      Map.of(
          "hidden_size", "d_model",
          "num_attention_heads", "encoder_attention_heads",
          "num_hidden_layers", "encoder_layers");

  private FamilyKeys() {}

  /** The names of keys that stand for others, and go before them. */
  private static Map<String, String> names(String type) {
    return switch (type) {
      case "gpt2", "openai-gpt", "gptj" -> OF_GPT;
      case "distilbert" -> OF_DISTILBERT;
      case "bloom" ->
          Map.of(
              "num_attention_heads", "n_head",
              "num_hidden_layers", "n_layer",
              "n_embed", "hidden_size");
      case "falcon" -> Map.of("n_embed", "hidden_size");
      case "t5", "mt5", "umt5", "switch_transformers" -> OF_T5;
      case "bart", "mbart", "marian", "pegasus", "m2m_100", "blenderbot", "blenderbot-small" ->
          OF_BART;
      default -> Map.of();
    };
  }

  /** The values of keys that are not there, where they differ within a family. */
  private static Map<String, Object> missing(String type) {
    return switch (type) {
      case "t5", "cohere", "gemma", "gemma2", "gemma3_text" -> Map.of("pad_token_id", 0);
      case "phi3" -> Map.of("pad_token_id", 32000);
      case "modernbert" -> Map.of("initializer_cutoff_factor", 2.0);
      case "mt5", "umt5" ->
          Map.of(
              "vocab_size", 250112,
              "d_ff", 1024,
              "num_layers", 8,
              "num_heads", 6,
              "pad_token_id", 0,
              "decoder_start_token_id", 0);
      case "switch_transformers" ->
          Map.of(
              "d_model", 768,
              "num_layers", 12,
              "num_decoder_layers", 12,
              "num_heads", 12,
              "pad_token_id", 0);
      case "bart" -> ofBart(50265, 1, 2);
      case "mbart" -> Map.of("vocab_size", 50265, "pad_token_id", 1);
      case "marian" -> ofBart(58101, 58100, 58100);
      case "pegasus" -> ofBart(50265, 0, 0);
      case "m2m_100" -> ofBart(128112, 1, 2);
      case "blenderbot" ->
          Map.ofEntries(
              Map.entry("vocab_size", 8008),
              Map.entry("max_position_embeddings", 128),
              Map.entry("d_model", 2560),
              Map.entry("encoder_layers", 2),
              Map.entry("encoder_attention_heads", 32),
              Map.entry("encoder_ffn_dim", 10240),
              Map.entry("decoder_layers", 24),
              Map.entry("decoder_attention_heads", 32),
              Map.entry("decoder_ffn_dim", 10240),
              Map.entry("pad_token_id", 0),
              Map.entry("decoder_start_token_id", 1));
      case "blenderbot-small" ->
          Map.of(
              "vocab_size", 50265,
              "max_position_embeddings", 512,
              "d_model", 512,
              "encoder_layers", 8,
              "encoder_ffn_dim", 2048,
              "decoder_layers", 8,
              "decoder_ffn_dim", 2048,
              "pad_token_id", 0,
              "decoder_start_token_id", 1);
      default -> Map.of();
    };
  }

  /** The token of padding where a configuration does not say; -1 for none. */
  static int padding(String type) {
    return switch (type) {
      case "albert",
          "bert",
          "distilbert",
          "electra",
          "deberta",
          "deberta-v2",
          "nomic_bert",
          "gemma",
          "gemma2",
          "gemma3_text",
          "cohere",
          "pegasus",
          "blenderbot",
          "blenderbot-small" ->
          0;
      case "roberta", "xlm-roberta", "camembert", "mpnet", "gte", "bart", "mbart", "m2m_100" -> 1;
      case "modernbert" -> 50283;
      case "marian" -> 58100;
      case "phi3" -> 32000;
      default -> -1;
    };
  }

  private static Map<String, Object> ofBart(int vocabulary, int padding, int start) {
    return Map.of(
        "vocab_size", vocabulary, "pad_token_id", padding, "decoder_start_token_id", start);
  }

  /** The configuration under the names that are read, with what is not there. */
  static Config of(Config given) {
    String type = given.text("model_type", "");
    Config config = given;
    for (Map.Entry<String, String> name : names(type).entrySet()) {
      config = config.renamed(name.getKey(), name.getValue());
    }
    for (Map.Entry<String, Object> each : missing(type).entrySet()) {
      config = config.withMissing(each.getKey(), each.getValue());
    }
    return config;
  }
}
