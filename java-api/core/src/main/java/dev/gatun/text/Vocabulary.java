package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/** The tokens of a tokenizer.json: those of its model and those added. */
final class Vocabulary {
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<Integer, String> tokens = new HashMap<>();

  /**
   * Reads the vocabulary of {@code root}.
   *
   * @throws TokenizerException if an id is not a number of 31 bits
   */
  Vocabulary(JsonNode root, String source) {
    JsonNode vocab = root.path("model").path("vocab");
    if (vocab.isObject()) {
      for (Map.Entry<String, JsonNode> entry : vocab.properties()) {
        add(entry.getKey(), entry.getValue(), source);
      }
    } else if (vocab.isArray()) {
      for (int i = 0; i < vocab.size(); i++) {
        String piece = vocab.get(i).path(0).asText();
        ids.put(piece, i);
        tokens.put(i, piece);
      }
    } else {
      throw new TokenizerException(source + ": model.vocab must be an object or an array");
    }
    for (JsonNode added : root.path("added_tokens")) {
      add(added.path("content").asText(), added.path("id"), source);
    }
  }

  private void add(String token, JsonNode id, String source) {
    if (!id.isInt() || id.intValue() < 0) {
      throw new TokenizerException(
          "%s: token '%s' has id %s, expected 0 to 2^31-1".formatted(source, token, id));
    }
    ids.put(token, id.intValue());
    tokens.put(id.intValue(), token);
  }

  int size() {
    return tokens.size();
  }

  /** The highest id; -1 for no tokens. */
  int lastId() {
    return tokens.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1);
  }

  Integer id(String token) {
    return ids.get(token);
  }

  String token(long id) {
    return id == (int) id ? tokens.get((int) id) : null;
  }
}
