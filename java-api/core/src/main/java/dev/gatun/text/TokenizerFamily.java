package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * The kinds of tokenizers whose SentencePiece model, or whose languages, have rules of their own.
 */
enum TokenizerFamily {
  T5("T5Tokenizer", "t5", "mt5", "umt5", "switch_transformers", "longt5"),
  PEGASUS("PegasusTokenizer", "pegasus"),
  MBART("MBartTokenizer", "mbart"),
  MBART_50("MBart50Tokenizer"),
  NLLB("NllbTokenizer", "nllb-moe"),
  M2M_100("M2M100Tokenizer", "m2m_100"),
  MARIAN("MarianTokenizer", "marian"),
  XLM_ROBERTA("XLMRobertaTokenizer", "xlm-roberta", "xlm-roberta-xl"),
  LLAMA("LlamaTokenizer", "llama", "mistral", "mixtral"),
  OTHER("");

  private final String tokenizerClass;
  private final Set<String> modelTypes;

  TokenizerFamily(String tokenizerClass, String... modelTypes) {
    this.tokenizerClass = tokenizerClass;
    this.modelTypes = Set.of(modelTypes);
  }

  /**
   * The family that {@code tokenizer_class} names, else {@code model_type}.
   *
   * @param directory the model's
   * @param tokenizerConfig its {@code tokenizer_config.json}
   * @param modelConfig its {@code config.json}
   */
  static TokenizerFamily of(Path directory, JsonNode tokenizerConfig, JsonNode modelConfig) {
    for (JsonNode config : new JsonNode[] {tokenizerConfig, modelConfig}) {
      String name = config.path("tokenizer_class").asText("");
      name = name.endsWith("Fast") ? name.substring(0, name.length() - 4) : name;
      for (TokenizerFamily family : values()) {
        if (family != OTHER && family.tokenizerClass.equals(name)) {
          return family;
        }
      }
    }
    String type = modelConfig.path("model_type").asText("");
    for (TokenizerFamily family : values()) {
      if (family.modelTypes.contains(type)) {
        // NLLB's models are M2M-100's, with another tokenizer.
        return family == M2M_100 && !Files.exists(directory.resolve("vocab.json")) ? NLLB : family;
      }
    }
    return OTHER;
  }
}
