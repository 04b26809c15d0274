package dev.gatun.models;

import java.util.List;
import java.util.Map;

/** The names of transformers' classes, which {@code architectures} of a configuration has. */
final class Architectures {
  /** What the names of a family's classes begin with. */
  private static final Map<String, String> STEMS =
      Map.ofEntries(
          Map.entry("albert", "Albert"),
          Map.entry("bart", "Bart"),
          Map.entry("bert", "Bert"),
          Map.entry("blenderbot", "Blenderbot"),
          Map.entry("blenderbot-small", "BlenderbotSmall"),
          Map.entry("bloom", "Bloom"),
          Map.entry("camembert", "Camembert"),
          Map.entry("cohere", "Cohere"),
          Map.entry("deberta", "Deberta"),
          Map.entry("deberta-v2", "DebertaV2"),
          Map.entry("distilbert", "DistilBert"),
          Map.entry("electra", "Electra"),
          Map.entry("falcon", "Falcon"),
          Map.entry("gemma", "Gemma"),
          Map.entry("gemma2", "Gemma2"),
          Map.entry("gemma3_text", "Gemma3Text"),
          Map.entry("gpt2", "GPT2"),
          Map.entry("gpt_neox", "GPTNeoX"),
          Map.entry("gpt_oss", "GptOss"),
          Map.entry("gptj", "GPTJ"),
          Map.entry("gte", "Gte"),
          Map.entry("llama", "Llama"),
          Map.entry("m2m_100", "M2M100"),
          Map.entry("mbart", "MBart"),
          Map.entry("mistral", "Mistral"),
          Map.entry("mixtral", "Mixtral"),
          Map.entry("modernbert", "ModernBert"),
          Map.entry("mpnet", "MPNet"),
          Map.entry("mt5", "MT5"),
          Map.entry("new", "New"),
          Map.entry("nomic_bert", "NomicBert"),
          Map.entry("openai-gpt", "OpenAIGPT"),
          Map.entry("pegasus", "Pegasus"),
          Map.entry("phi3", "Phi3"),
          Map.entry("qwen2", "Qwen2"),
          Map.entry("qwen2_moe", "Qwen2Moe"),
          Map.entry("qwen3", "Qwen3"),
          Map.entry("qwen3_moe", "Qwen3Moe"),
          Map.entry("roberta", "Roberta"),
          Map.entry("starcoder2", "Starcoder2"),
          Map.entry("switch_transformers", "SwitchTransformers"),
          Map.entry("t5", "T5"),
          Map.entry("umt5", "UMT5"),
          Map.entry("xlm-roberta", "XLMRoberta"));

  private Architectures() {}

  /** The class of an encoder with a head, or of a decoder that is read as one. */
  static String of(Config config, Head head) {
    List<String> named = config.texts("architectures");
    if (!named.isEmpty() && Head.of(named.getFirst()).filter(head::equals).isPresent()) {
      return named.getFirst();
    }
    String type = config.text("model_type", "");
    if (head == Head.MASKED_LM && type.endsWith("bart")) {
      return ofSeq2SeqLm(config);
    }
    boolean encoderOfTwo = head == Head.BASE && type.endsWith("t5");
    return stem(type) + (encoderOfTwo ? "EncoderModel" : head.ending());
  }

  /** The class of a decoder. */
  static String ofCausalLm(Config config) {
    return switch (config.text("model_type", "")) {
      case "gemma3_text" -> "Gemma3ForCausalLM";
      case "gpt2", "openai-gpt" -> stem(config.text("model_type", "")) + "LMHeadModel";
      case String type -> stem(type) + "ForCausalLM";
    };
  }

  /** The class of an encoder-decoder. */
  static String ofSeq2SeqLm(Config config) {
    String type = config.text("model_type", "");
    return type.equals("marian") ? "MarianMTModel" : stem(type) + "ForConditionalGeneration";
  }

  private static String stem(String type) {
    String stem = STEMS.get(type);
    if (stem == null) {
      throw new IllegalStateException("no class of transformers is known for " + type);
    }
    return stem;
  }
}
