package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tokens that were added to an older tokenizer's vocabulary: {@code added_tokens_decoder} of
 * {@code tokenizer_config.json}, else {@code added_tokens.json}; with those that have a role, and
 * {@code additional_special_tokens}.
 */
final class AddedTokens {
  private static final List<String> FLAGS =
      List.of("single_word", "lstrip", "rstrip", "normalized", "special");
  private static final List<String> LISTS =
      List.of("additional_special_tokens", "extra_special_tokens");

  private final String source;
  private final Map<String, Integer> vocab = new HashMap<>();
  private final int next;
  private final Map<String, ObjectNode> tokens = new LinkedHashMap<>();

  private AddedTokens(String source, JsonNode root) {
    this.source = source;
    JsonNode given = root.path("model").path("vocab");
    // Unigram's is a list of tokens with their scores.
    given.properties().forEach(e -> vocab.put(e.getKey(), e.getValue().intValue()));
    for (int id = 0; given.isArray() && id < given.size(); id++) {
      vocab.put(given.path(id).path(0).asText(), id);
    }
    this.next = given.size();
    for (JsonNode token : root.path("added_tokens")) {
      tokens.put(token.path("content").asText(), (ObjectNode) token);
    }
  }

  /**
   * Adds them to a tokenizer.json.
   *
   * @param source its directory, for messages
   * @param root without them
   * @param added what {@code added_tokens.json} has, tokens with their ids
   * @param configs {@code tokenizer_config.json} and {@code special_tokens_map.json}
   */
  static void add(String source, ObjectNode root, JsonNode added, List<JsonNode> configs) {
    AddedTokens all = new AddedTokens(source, root);
    JsonNode decoder = configs.getFirst().path("added_tokens_decoder");
    Map<String, JsonNode> special = special(configs);
    if (decoder.isObject()) {
      decoder.properties().forEach(e -> all.put(e.getKey(), content(e.getValue()), e.getValue()));
    } else {
      for (Map.Entry<String, JsonNode> e : added.properties()) {
        all.put(e.getValue().asText(), e.getKey(), special.get(e.getKey()));
      }
    }
    special.forEach(all::putSpecial);
    all.write(root);
  }

  private static Map<String, JsonNode> special(List<JsonNode> configs) {
    Map<String, JsonNode> special = new LinkedHashMap<>();
    for (JsonNode config : configs) {
      for (String list : LISTS) {
        config.path(list).forEach(token -> special.put(content(token), asSpecial(token)));
      }
    }
    return special;
  }

  private static JsonNode asSpecial(JsonNode token) {
    ObjectNode special = token.isObject() ? token.deepCopy() : Json.object();
    return special.put("special", true);
  }

  private static String content(JsonNode token) {
    return token.isObject() ? token.path("content").asText() : token.asText();
  }

  /** Notes a token whose id a file tells; one of no settings is matched in normalised text. */
  private void put(String id, String content, JsonNode settings) {
    ObjectNode token = Json.object().put("content", content);
    try {
      token.put("id", Integer.parseInt(id));
    } catch (NumberFormatException e) {
      throw new TokenizerException(
          "%s: added token '%s' has id %s, expected a number".formatted(source, content, id), e);
    }
    for (String flag : FLAGS) {
      boolean otherwise = settings == null && flag.equals("normalized");
      token.put(flag, settings == null ? otherwise : settings.path(flag).asBoolean(false));
    }
    tokens.put(content, token);
  }

  private void putSpecial(String content, JsonNode settings) {
    if (tokens.containsKey(content)) {
      return;
    }
    int id = vocab.getOrDefault(content, next);
    if (!vocab.containsKey(content)) {
      for (String other : tokens.keySet()) {
        id += vocab.containsKey(other) ? 0 : 1;
      }
    }
    put(Integer.toString(id), content, settings);
  }

  /** Writes them in the order of their ids, which must go on where the vocabulary ends. */
  private void write(ObjectNode root) {
    TreeMap<Integer, ObjectNode> byId = new TreeMap<>();
    tokens.values().forEach(token -> byId.put(token.path("id").intValue(), token));
    ArrayNode written = root.putArray("added_tokens");
    int end = next;
    Set<String> left = new LinkedHashSet<>(tokens.keySet());
    for (Map.Entry<Integer, ObjectNode> each : byId.entrySet()) {
      String content = each.getValue().path("content").textValue();
      int expected = vocab.containsKey(content) ? vocab.get(content) : end++;
      if (each.getKey() != expected) {
        throw new TokenizerException(
            "%s: added token '%s' has id %d, expected %d, where the vocabulary has it or ends"
                .formatted(source, content, each.getKey(), expected));
      }
      left.remove(content);
      written.add(each.getValue());
    }
    if (!left.isEmpty()) {
      throw new TokenizerException(
          "%s: added tokens %s have ids of other tokens".formatted(source, left));
    }
  }
}
