package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.weights.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * How {@code tokenizer.ggml.pre} says that a text is cut before bytes are merged.
 *
 * @param patterns each cuts the pieces of the one before it
 * @param nfc whether characters are composed first
 * @param ignoreMerges whether a piece that is a token is that token
 * @param addBos whether texts begin with one where the file does not say
 */
record PreTokenizers(List<String> patterns, boolean nfc, boolean ignoreMerges, boolean addBos) {
  /** Names a kind where a file has none, or one that is not known. */
  static final String PROPERTY = "gatun.gguf.pre";

  private static final String KEY = "tokenizer.ggml.pre";

  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  private static final String TAIL = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

  private static final String LLAMA3 =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          + TAIL;

  private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

  private static final String QWEN35 =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
          + TAIL;

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String BEFORE = "[^\\r\\n\\p{L}\\p{N}]?";

  private static final String TEKKEN =
      "%1$s%2$s*%3$s+|%1$s%2$s+%3$s*".formatted(BEFORE, UPPER, LOWER)
          + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
          + TAIL;

  private static final String GPT4O =
      "%1$s%2$s*%3$s+%4$s?|%1$s%2$s+%3$s*%4$s?".formatted(BEFORE, UPPER, LOWER, CONTRACTIONS)
          + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
          + TAIL;

  private static final List<String> DEEPSEEK3 =
      List.of(
          "\\p{N}{1,3}",
          "[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+",
          "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
              + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|"
              + TAIL);

  private static final String LINE_ENDS = "[\r\n]";

  private static final String CJK = "[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+";

  /** Letters with case in an older Unicode, as DeepSeek LLM's tokenizer lists them. */
  private static final String CASED =
      "\\u0041-\\u005a\\u0061-\\u007a\\u00b5\\u00c0-\\u00d6\\u00d8-\\u00f6"
          + "\\u00f8-\\u01ba\\u01bc-\\u01bf\\u01c4-\\u0293\\u0295-\\u02af\\u0370-\\u0373"
          + "\\u0376\\u0377\\u037b-\\u037d\\u037f\\u0386\\u0388-\\u038a\\u038c"
          + "\\u038e-\\u03a1\\u03a3-\\u03f5\\u03f7-\\u0481\\u048a-\\u052f\\u0531-\\u0556"
          + "\\u10a0-\\u10c5\\u13a0-\\u13f5\\u13f8-\\u13fd\\u1c90-\\u1cba\\u1cbd-\\u1cbf"
          + "\\u1d00-\\u1d2b\\u1d6b-\\u1d77\\u1d79-\\u1d9a\\u1e00-\\u1f15\\u1f18-\\u1f1d"
          + "\\u1f20-\\u1f45\\u1f48-\\u1f4d\\u1f50-\\u1f57\\u1f59\\u1f5b\\u1f5d"
          + "\\u1f5f-\\u1f7d\\u1f80-\\u1fb4\\u1fb6-\\u1fbc\\u1fbe\\u1fc2-\\u1fc4"
          + "\\u1fc6-\\u1fcc\\u1fd0-\\u1fd3\\u1fd6-\\u1fdb\\u1fe0-\\u1fec\\u1ff2-\\u1ff4"
          + "\\u1ff6-\\u1ffc\\u2102\\u2107\\u210a-\\u2113\\u2115\\u2119-\\u211d\\u2124"
          + "\\u2126\\u2128\\u212a-\\u212d\\u212f-\\u2134\\u2139\\u213c-\\u213f"
          + "\\u2145-\\u2149\\u214e\\u2183\\u2184\\u2c00-\\u2c7b\\u2c7e-\\u2ce4"
          + "\\u2ceb-\\u2cee\\ua640-\\ua66d\\ua680-\\ua69b\\ua722-\\ua76f\\ua771-\\ua787"
          + "\\ua78b-\\ua78e\\uab70-\\uabbf\\ufb00-\\ufb06\\ufb13-\\ufb17\\uff21-\\uff3a"
          + "\\uff41-\\uff5a\\x{10400}-\\x{1044f}\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}"
          + "\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}\\x{118a0}-\\x{118df}"
          + "\\x{1e900}-\\x{1e943}";

  private static final List<String> DEEPSEEK_LLM =
      List.of(
          LINE_ENDS,
          "\\s?[" + CASED + "]+",
          "\\s?[!-/:-~\\uff01-\\uff0f\\uff1a-\\uff5e\\u2018-\\u201f\\u3000-\\u3002]+",
          "\\s+$",
          CJK,
          "\\p{N}+");

  private static final List<String> DEEPSEEK_CODER =
      List.of(LINE_ENDS, "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}");

  private static final String BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";

  private static final String SEED_CODER =
      CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" + TAIL;

  private static final Map<String, PreTokenizers> ALL = new LinkedHashMap<>();

  static {
    put(new PreTokenizers(List.of(LLAMA3), false, true, true), "llama-bpe llama3 llama-v3");
    put(
        new PreTokenizers(List.of(LLAMA3), false, true, true),
        "falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano");
    put(new PreTokenizers(List.of(LLAMA3), false, false, false), "dbrx smaug-bpe glm4 chatglm-bpe");
    put(
        new PreTokenizers(List.of(QWEN2), true, false, false),
        "qwen2 deepseek-r1-qwen kormo f2llmv2");
    put(new PreTokenizers(List.of(QWEN2), false, false, false), "stablelm2 megrez hunyuan grok-2");
    put(new PreTokenizers(List.of(QWEN35), true, false, false), "qwen35");
    put(
        new PreTokenizers(List.of(GPT2), false, false, false),
        "gpt-2 phi-2 roberta-bpe jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code mpt"
            + " olmo exaone4 modern-bert gigachat a.x-4.0 mellum jais trillion granite-docling");
    put(
        new PreTokenizers(List.of("\\p{N}", GPT2), false, false, false),
        "starcoder refact command-r smollm codeshell exaone minerva-7b");
    put(
        new PreTokenizers(
            List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"), false, false, false),
        "falcon");
    put(new PreTokenizers(List.of(BLOOM), false, false, false), "bloom poro-chat gpt3-finnish");
    put(new PreTokenizers(List.of(TEKKEN), false, true, true), "tekken");
    put(new PreTokenizers(List.of(GPT4O), false, false, false), "gpt-4o llama4 kanana2 minimax-m2");
    put(new PreTokenizers(DEEPSEEK3, false, false, false), "deepseek-v3 hunyuan-dense");
    put(new PreTokenizers(DEEPSEEK_LLM, false, false, false), "deepseek-llm");
    put(new PreTokenizers(DEEPSEEK_CODER, false, false, false), "deepseek-coder");
    put(new PreTokenizers(List.of(BLOOM, "\\p{N}"), false, false, false), "viking");
    put(new PreTokenizers(List.of(SEED_CODER), false, false, false), "seed-coder");
  }

  private static void put(PreTokenizers kind, String names) {
    for (String name : names.split(" ")) {
      ALL.put(name, kind);
    }
  }

  /** What a file says, or the system property {@value #PROPERTY} in its place. */
  static PreTokenizers of(GgufMetadata keys) {
    String told = System.getProperty(PROPERTY);
    String name = told != null ? told : keys.text(KEY).orElse(null);
    PreTokenizers found = name == null ? null : ALL.get(name);
    if (found == null) {
      throw new TokenizerException(
          "%s: %s is %s, expected one of %s; another one would give other tokens, and is taken only if the system property %s names it"
              .formatted(
                  keys.source(),
                  told != null ? "the system property " + PROPERTY : "key '" + KEY + "'",
                  name == null ? "missing" : "'" + name + "'",
                  String.join(", ", new TreeSet<>(ALL.keySet())),
                  PROPERTY));
    }
    return found;
  }

  /** Whether a tokenizer.json takes bytes for characters. */
  static boolean hasByteLevel(JsonNode root) {
    return steps(root).stream().anyMatch(step -> step.path("type").asText().equals("ByteLevel"));
  }

  private static List<JsonNode> steps(JsonNode root) {
    List<JsonNode> steps = new ArrayList<>();
    JsonNode pre = root.path("pre_tokenizer");
    if (pre.path("type").asText().equals("Sequence")) {
      pre.path("pretokenizers").forEach(steps::add);
    } else if (pre.isObject()) {
      steps.add(pre);
    }
    return steps;
  }

  /**
   * The name of what a byte-level tokenizer.json does.
   *
   * @throws TokenizerException where none does the same
   */
  static String nameOf(JsonNode root, String source) {
    List<String> patterns = new ArrayList<>();
    for (JsonNode step : steps(root)) {
      switch (step.path("type").asText()) {
        case "ByteLevel" -> {
          if (step.path("add_prefix_space").asBoolean(true)) {
            throw unnamed(source, step);
          }
          if (step.path("use_regex").asBoolean(true)) {
            patterns.add(GPT2);
          }
        }
        case "Split" -> {
          if (!step.path("behavior").asText().equals("Isolated")
              || step.path("invert").asBoolean(false)
              || !step.path("pattern").has("Regex")) {
            throw unnamed(source, step);
          }
          patterns.add(step.path("pattern").path("Regex").asText());
        }
        case "Digits" -> {
          if (!step.path("individual_digits").asBoolean(false)) {
            throw unnamed(source, step);
          }
          patterns.add("\\p{N}");
        }
        default -> throw unnamed(source, step);
      }
    }
    JsonNode normalizer = root.path("normalizer");
    boolean composes = normalizer.path("type").asText().equals("NFC");
    if (normalizer.isObject() && !composes) {
      throw unnamed(source, normalizer);
    }
    boolean whole = root.path("model").path("ignore_merges").asBoolean(false);
    for (Map.Entry<String, PreTokenizers> each : ALL.entrySet()) {
      PreTokenizers kind = each.getValue();
      if (kind.patterns.equals(patterns) && kind.nfc == composes && kind.ignoreMerges == whole) {
        return each.getKey();
      }
    }
    throw new TokenizerException(
        "%s: texts are cut by %s, %s composing characters and %s merges in whole tokens, which none of tokenizer.ggml.pre does: %s"
            .formatted(
                source,
                patterns,
                composes ? "with" : "without",
                whole ? "without" : "with",
                String.join(", ", new TreeSet<>(ALL.keySet()))));
  }

  private static TokenizerException unnamed(String source, JsonNode step) {
    return new TokenizerException(
        "%s: texts are cut by %s, which has no name in tokenizer.ggml.pre".formatted(source, step));
  }

  /** Writes the normalizer and the pre-tokenizer. */
  void write(ObjectNode root) {
    if (nfc) {
      root.putObject("normalizer").put("type", "NFC");
    } else {
      root.putNull("normalizer");
    }
    ArrayNode steps =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    for (String pattern : patterns) {
      steps
          .addObject()
          .put("type", "Split")
          .put("behavior", "Isolated")
          .put("invert", false)
          .putObject("pattern")
          .put("Regex", pattern);
    }
    steps
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", false);
  }
}
