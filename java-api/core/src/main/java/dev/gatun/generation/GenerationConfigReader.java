package dev.gatun.generation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.generation.GenerationConfig.EarlyStopping;
import dev.gatun.generation.GenerationConfig.LengthDecay;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Reads {@code generation_config.json} and the keys of it that {@code config.json} may have. */
final class GenerationConfigReader {
  private interface Setter {
    void set(GenerationConfig.Builder builder, Value value);
  }

  /** Keys that change how the work is done, what else is given back, or other kinds of models. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "use_cache",
          "cache_implementation",
          "cache_config",
          "max_cache_len",
          "prefill_chunk_size",
          "compile_config",
          "disable_compile",
          "low_memory",
          "continuous_batching_config",
          "output_attentions",
          "output_hidden_states",
          "output_scores",
          "output_logits",
          "return_dict_in_generate",
          "is_assistant",
          "num_assistant_tokens",
          "num_assistant_tokens_schedule",
          "assistant_confidence_threshold",
          "assistant_early_exit",
          "assistant_lookbehind",
          "assistant_ensemble_weight",
          "target_lookbehind",
          "max_matching_ngram_size",
          "speculation_type",
          "use_mtp",
          "decoder_start_token_id",
          "transformers_version",
          "_from_model_config",
          "_commit_hash");

  /** Settings that change what is generated and are not done, with the values that ask for none. */
  private static final Map<String, Predicate<JsonNode>> REFUSED =
      Map.of(
          "guidance_scale", v -> v.isNumber() && v.doubleValue() == 1,
          "penalty_alpha", v -> v.isNumber() && v.doubleValue() == 0,
          "token_healing", v -> v.isBoolean() && !v.booleanValue(),
          "watermarking_config", v -> false,
          "dola_layers", v -> false,
          "constraints", v -> false,
          "force_words_ids", v -> false);

  private static final Map<String, Setter> KEYS = new LinkedHashMap<>();

  static {
    KEYS.put("max_length", (b, v) -> b.maxLength(v.integer()));
    KEYS.put("max_new_tokens", (b, v) -> b.maxNewTokens(v.integer()));
    KEYS.put("min_length", (b, v) -> b.minLength(v.integer()));
    KEYS.put("min_new_tokens", (b, v) -> b.minNewTokens(v.integer()));
    KEYS.put("max_time", (b, v) -> b.maxTime(Duration.ofNanos((long) (v.number() * 1e9))));
    KEYS.put("stop_strings", (b, v) -> b.stopStrings(v.texts()));
    KEYS.put("do_sample", (b, v) -> b.doSample(v.flag()));
    KEYS.put("num_beams", (b, v) -> b.numBeams(v.integer()));
    KEYS.put("num_beam_groups", (b, v) -> b.numBeamGroups(v.integer()));
    KEYS.put("diversity_penalty", (b, v) -> b.diversityPenalty((float) v.number()));
    KEYS.put("length_penalty", (b, v) -> b.lengthPenalty((float) v.number()));
    KEYS.put("early_stopping", (b, v) -> b.earlyStopping(v.earlyStopping()));
    KEYS.put("num_return_sequences", (b, v) -> b.numReturnSequences(v.integer()));
    KEYS.put("temperature", (b, v) -> b.temperature((float) v.number()));
    KEYS.put("top_k", (b, v) -> b.topK(v.integer()));
    KEYS.put("top_p", (b, v) -> b.topP(v.number()));
    KEYS.put("min_p", (b, v) -> b.minP(v.number()));
    KEYS.put("top_h", (b, v) -> b.topH(v.number()));
    KEYS.put("typical_p", (b, v) -> b.typicalP(v.number()));
    KEYS.put("epsilon_cutoff", (b, v) -> b.epsilonCutoff(v.number()));
    KEYS.put("eta_cutoff", (b, v) -> b.etaCutoff(v.number()));
    KEYS.put("repetition_penalty", (b, v) -> b.repetitionPenalty((float) v.number()));
    KEYS.put("presence_penalty", (b, v) -> b.presencePenalty((float) v.number()));
    KEYS.put("frequency_penalty", (b, v) -> b.frequencyPenalty((float) v.number()));
    KEYS.put("no_repeat_ngram_size", (b, v) -> b.noRepeatNgramSize(v.integer()));
    KEYS.put(
        "encoder_repetition_penalty", (b, v) -> b.encoderRepetitionPenalty((float) v.number()));
    KEYS.put("encoder_no_repeat_ngram_size", (b, v) -> b.encoderNoRepeatNgramSize(v.integer()));
    KEYS.put(
        "exponential_decay_length_penalty",
        (b, v) -> b.exponentialDecayLengthPenalty(v.lengthDecay()));
    KEYS.put("bad_words_ids", (b, v) -> b.badWordsIds(v.lists()));
    KEYS.put("sequence_bias", (b, v) -> b.sequenceBias(v.biases()));
    KEYS.put("suppress_tokens", (b, v) -> b.suppressTokens(v.ids()));
    KEYS.put("begin_suppress_tokens", (b, v) -> b.beginSuppressTokens(v.ids()));
    KEYS.put("forced_bos_token_id", (b, v) -> b.forcedBosTokenId(v.integer()));
    KEYS.put("forced_eos_token_id", (b, v) -> b.forcedEosTokenId(v.ids()));
    KEYS.put("prompt_lookup_num_tokens", (b, v) -> b.promptLookupNumTokens(v.integer()));
    KEYS.put("remove_invalid_values", (b, v) -> b.removeInvalidValues(v.flag()));
    KEYS.put("renormalize_logits", (b, v) -> b.renormalizeLogits(v.flag()));
    KEYS.put("eos_token_id", (b, v) -> b.eosTokenId(v.ids()));
    KEYS.put("bos_token_id", (b, v) -> b.bosTokenId(v.integer()));
    KEYS.put("pad_token_id", (b, v) -> b.padTokenId(v.integer()));
    KEYS.put("seed", (b, v) -> b.seed(v.whole()));
    KEYS.put("logprobs", (b, v) -> b.logprobs(v.integer()));
  }

  private GenerationConfigReader() {}

  /**
   * @param task a key of {@code task_specific_params}; null for none
   */
  static GenerationDefaults read(Path directory, String task) throws IOException {
    Optional<Path> gguf = GgufFile.find(directory);
    if (gguf.isPresent()) {
      return GgufFile.readMetadata(gguf.get(), keys -> defaults(gguf.get(), keys));
    }
    GenerationConfig.Builder builder = GenerationConfig.builder();
    List<String> warnings = new ArrayList<>();
    Set<Integer> endOfText = new LinkedHashSet<>();
    Path model = directory.resolve("config.json");
    Path file = directory.resolve("generation_config.json");
    boolean own = Files.exists(file);
    if (Files.exists(model)) {
      JsonNode root = object(model);
      for (JsonNode node : List.of(root, root.path("text_config"))) {
        apply(model, node, own ? Set.of("bos_token_id", "pad_token_id") : KEYS.keySet(), builder);
        endOfText.addAll(endOfText(model, node));
      }
    }
    if (own) {
      JsonNode root = object(file);
      apply(file, root, KEYS.keySet(), builder);
      endOfText.addAll(endOfText(file, root));
      refuse(file, root);
      root.fieldNames().forEachRemaining(key -> warn(file, key, warnings));
    }
    if (task != null && Files.exists(model)) {
      JsonNode params = object(model).path("task_specific_params").path(task);
      apply(model, params, KEYS.keySet(), builder);
      endOfText.addAll(endOfText(model, params));
      refuse(model, params);
      // What is put before a text is the pipeline's.
      params.properties().stream()
          .map(Map.Entry::getKey)
          .filter(key -> !key.equals("prefix"))
          .forEach(key -> warn(model, key, warnings));
    }
    builder.eosTokenId(List.copyOf(endOfText));
    try {
      return new GenerationDefaults(builder.build(), warnings);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException((own ? file : model) + ": " + e.getMessage(), e);
    }
  }

  /** The tokens that a GGUF file names. */
  private static GenerationDefaults defaults(Path file, GgufMetadata keys) {
    GenerationConfig.Builder builder = GenerationConfig.builder();
    int bos = keys.integer("tokenizer.ggml.bos_token_id", -1);
    if (bos >= 0) {
      builder.bosTokenId(bos);
    }
    Set<Integer> ends = new LinkedHashSet<>();
    for (String role : List.of("eos", "eot", "eom")) {
      int id = keys.integer("tokenizer.ggml." + role + "_token_id", -1);
      if (id >= 0) {
        ends.add(id);
      }
    }
    builder.eosTokenId(List.copyOf(ends));
    builder.suppressTokens(
        Arrays.stream(keys.integers("tokenizer.ggml.suppress_tokens"))
            .mapToObj(id -> (int) id)
            .toList());
    try {
      return new GenerationDefaults(builder.build(), List.of());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private static void apply(
      Path file, JsonNode root, Set<String> keys, GenerationConfig.Builder builder) {
    KEYS.forEach(
        (key, setter) -> {
          if (keys.contains(key) && root.hasNonNull(key)) {
            setter.set(builder, new Value(file, key, root.get(key)));
          }
        });
  }

  private static List<Integer> endOfText(Path file, JsonNode root) {
    String key = "eos_token_id";
    return root.hasNonNull(key) ? new Value(file, key, root.get(key)).ids() : List.of();
  }

  private static void refuse(Path file, JsonNode root) {
    REFUSED.forEach(
        (key, neutral) -> {
          if (root.hasNonNull(key) && !neutral.test(root.get(key))) {
            throw new IllegalArgumentException(
                "%s: '%s' is %s, which is not supported; take the key out to generate without it"
                    .formatted(file, key, root.get(key)));
          }
        });
  }

  private static void warn(Path file, String key, List<String> warnings) {
    if (!KEYS.containsKey(key) && !WITHOUT_EFFECT.contains(key) && !REFUSED.containsKey(key)) {
      warnings.add(
          "%s: '%s' is not a setting that is known, and has no effect".formatted(file, key));
    }
  }

  private static JsonNode object(Path file) throws IOException {
    JsonNode root = TextFile.json(file, IllegalArgumentException::new);
    if (root == null || !root.isObject()) {
      throw new IllegalArgumentException(file + ": expected a JSON object");
    }
    return root;
  }

  /** A key's value, which must be of the kind that is asked for. */
  private record Value(Path file, String key, JsonNode node) {
    int integer() {
      if (!node.canConvertToExactIntegral() || !node.canConvertToInt()) {
        throw wrong("an integer");
      }
      return node.intValue();
    }

    long whole() {
      if (!node.canConvertToExactIntegral() || !node.canConvertToLong()) {
        throw wrong("an integer of 64 bits");
      }
      return node.longValue();
    }

    double number() {
      if (!node.isNumber()) {
        throw wrong("a number");
      }
      return node.doubleValue();
    }

    boolean flag() {
      if (!node.isBoolean()) {
        throw wrong("true or false");
      }
      return node.booleanValue();
    }

    EarlyStopping earlyStopping() {
      if (node.isTextual() && node.textValue().equals("never")) {
        return EarlyStopping.NEVER;
      }
      if (!node.isBoolean()) {
        throw wrong("true, false or \"never\"");
      }
      return node.booleanValue() ? EarlyStopping.TRUE : EarlyStopping.FALSE;
    }

    List<String> texts() {
      List<String> texts = new ArrayList<>();
      for (JsonNode each : node.isArray() ? node : List.of(node)) {
        if (!each.isTextual()) {
          throw wrong("a text or a list of texts");
        }
        texts.add(each.textValue());
      }
      return texts;
    }

    List<Integer> ids() {
      return ids(node.isArray() ? node : List.of(node), "a token id or a list of them");
    }

    List<List<Integer>> lists() {
      List<List<Integer>> lists = new ArrayList<>();
      for (JsonNode each : node) {
        if (!each.isArray() || each.isEmpty()) {
          throw wrong("a list of lists of token ids");
        }
        lists.add(ids(each, "a list of lists of token ids"));
      }
      return lists;
    }

    List<TokenBias> biases() {
      String expected = "a list of pairs: a list of token ids, and a number";
      List<TokenBias> biases = new ArrayList<>();
      for (JsonNode pair : node) {
        if (!pair.isArray()
            || pair.size() != 2
            || pair.get(0).isEmpty()
            || !pair.get(1).isNumber()) {
          throw wrong(expected);
        }
        biases.add(new TokenBias(ids(pair.get(0), expected), pair.get(1).floatValue()));
      }
      return biases;
    }

    LengthDecay lengthDecay() {
      if (!node.isArray() || node.size() != 2 || !node.get(0).isInt() || !node.get(1).isNumber()) {
        throw wrong("a pair: a number of tokens and a factor");
      }
      return new LengthDecay(node.get(0).intValue(), node.get(1).doubleValue());
    }

    private List<Integer> ids(Iterable<JsonNode> nodes, String expected) {
      List<Integer> ids = new ArrayList<>();
      for (JsonNode each : nodes) {
        if (!each.canConvertToExactIntegral() || !each.canConvertToInt() || each.intValue() < 0) {
          throw wrong(expected);
        }
        ids.add(each.intValue());
      }
      return ids;
    }

    private IllegalArgumentException wrong(String expected) {
      return new IllegalArgumentException(
          "%s: '%s' is %s, expected %s".formatted(file, key, node, expected));
    }
  }
}
