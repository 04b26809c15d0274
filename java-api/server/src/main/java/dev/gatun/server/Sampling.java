package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TokenBias;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The settings of generation that a request gives, those of OpenAI's protocol and some that other
 * servers have: {@code top_k}, {@code min_p}, {@code repetition_penalty}, {@code min_tokens},
 * {@code ignore_eos}. What it leaves out is as the model's files say where they ask for sampling,
 * else as OpenAI documents it.
 */
final class Sampling {
  private static final int MOST_STOPS = 16;
  private static final int MOST_TOP_LOGPROBS = 20;

  private Sampling() {}

  /**
   * Reads the settings.
   *
   * @param defaults those of the model's files
   * @param maxTokens the names that the limit of new tokens has
   * @param usualTokens the limit where none is given
   */
  static GenerationConfig.Builder read(
      Fields fields,
      GenerativeModel model,
      GenerationConfig defaults,
      List<String> maxTokens,
      int usualTokens) {
    GenerationConfig.Builder builder =
        defaults.toBuilder().numBeams(1).numBeamGroups(1).diversityPenalty(0);
    boolean own = defaults.doSample();
    OptionalDouble temperature = fields.number("temperature", 0, 2);
    if (temperature.isPresent() || !own) {
      builder.temperature((float) temperature.orElse(1));
    }
    OptionalDouble topP = fields.number("top_p", 0, 1);
    if (topP.isPresent() || !own) {
      builder.topP(topP.orElse(1));
    }
    OptionalInt topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    if (topK.isPresent() || !own) {
      builder.topK(Math.max(0, topK.orElse(0)));
    }
    fields.number("min_p", 0, 1).ifPresent(builder::minP);
    fields
        .number("repetition_penalty", Float.MIN_NORMAL, Float.MAX_VALUE)
        .ifPresent(value -> builder.repetitionPenalty((float) value));
    builder.presencePenalty((float) fields.number("presence_penalty", -2, 2).orElse(0));
    builder.frequencyPenalty((float) fields.number("frequency_penalty", -2, 2).orElse(0));
    fields.wholeNumber("seed").ifPresent(builder::seed);
    fields.integer("min_tokens", 0, Integer.MAX_VALUE).ifPresent(builder::minNewTokens);
    builder.maxNewTokens(maxTokens(fields, maxTokens, usualTokens));
    List<String> stops = stops(fields);
    if (!stops.isEmpty()) {
      builder.stopStrings(stops);
    }
    if (fields.flag("ignore_eos", false)) {
      builder.eosTokenId(List.of());
    }
    List<TokenBias> biases = new ArrayList<>(defaults.sequenceBias());
    biases.addAll(biases(fields, model.tokenizer().vocabSize()));
    builder.sequenceBias(biases);
    return builder.doSample(true);
  }

  private static int maxTokens(Fields fields, List<String> names, int usual) {
    OptionalInt found = OptionalInt.empty();
    for (String name : names) {
      OptionalInt given = fields.integer(name, 1, Integer.MAX_VALUE);
      if (found.isPresent() && given.isPresent() && !found.equals(given)) {
        throw ApiException.wrong(
            name, "%s differ: give one".formatted(String.join(" and ", names)));
      }
      found = found.isPresent() ? found : given;
    }
    return found.orElse(usual);
  }

  private static List<String> stops(Fields fields) {
    JsonNode value = fields.any("stop");
    List<String> stops = new ArrayList<>();
    if (value == null) {
      return stops;
    }
    if (value.isTextual()) {
      stops.add(value.textValue());
    } else if (value.isArray()) {
      for (JsonNode each : value) {
        if (!each.isTextual()) {
          throw Fields.wrongType("stop[%d]".formatted(stops.size()), each, "a string");
        }
        stops.add(each.textValue());
      }
    } else {
      throw Fields.wrongType("stop", value, "a string or an array of strings");
    }
    if (stops.size() > MOST_STOPS || stops.contains("")) {
      throw ApiException.wrong(
          "stop", "expected up to %d strings that are not empty".formatted(MOST_STOPS));
    }
    return stops;
  }

  private static List<TokenBias> biases(Fields fields, int vocabulary) {
    JsonNode value = fields.any("logit_bias");
    List<TokenBias> biases = new ArrayList<>();
    if (value == null) {
      return biases;
    }
    if (!value.isObject()) {
      throw Fields.wrongType("logit_bias", value, "an object");
    }
    for (Map.Entry<String, JsonNode> entry : value.properties()) {
      String name = "logit_bias." + entry.getKey();
      if (!entry.getKey().matches("[0-9]{1,9}") || Integer.parseInt(entry.getKey()) >= vocabulary) {
        throw ApiException.wrong(
            name, "expected the id of a token as the key, 0 to %d".formatted(vocabulary - 1));
      }
      double bias = entry.getValue().doubleValue();
      if (!entry.getValue().isNumber() || !(Math.abs(bias) <= 100)) {
        throw ApiException.wrong(
            name, "%s, expected a number of -100 to 100".formatted(entry.getValue()));
      }
      biases.add(new TokenBias(List.of(Integer.parseInt(entry.getKey())), (float) bias));
    }
    return biases;
  }

  /** How many most likely tokens are told; -1 where no log-probability is asked for at all. */
  static int topLogprobs(Fields fields) {
    boolean wanted = fields.flag("logprobs", false);
    OptionalInt top = fields.integer("top_logprobs", 0, MOST_TOP_LOGPROBS);
    if (top.isPresent() && top.getAsInt() > 0 && !wanted) {
      throw ApiException.wrong("top_logprobs", "it needs logprobs: true");
    }
    return wanted ? top.orElse(0) : -1;
  }

  /** The number of answers. */
  static int count(Fields fields, GenerativeModel model) {
    int n = fields.integer("n", 1, model.sequences()).orElse(1);
    fields.refuseUnless("best_of", IntNode.valueOf(n), "ask for the answers by n");
    return n;
  }
}
