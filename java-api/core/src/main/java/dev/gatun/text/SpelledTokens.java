package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps texts from becoming tokens that are in a Unigram's table of pieces for their ids alone.
 * They get a spelling that no text has behind the pre-tokenizer, which leaves no space.
 */
final class SpelledTokens {
  private static final String UNSPELT = " \u0000";

  private SpelledTokens() {}

  /**
   * {@return the tokenizer.json for the engine, or the same where no text becomes such a token}
   *
   * @param control ids of tokens that no text becomes; the unknown one is another
   */
  static ObjectNode hide(ObjectNode root, Set<Integer> control) {
    if (control.isEmpty() || !root.path("model").path("type").asText().equals("Unigram")) {
      return root;
    }
    Set<Integer> hidden = new HashSet<>(control);
    JsonNode unknown = root.path("model").path("unk_id");
    if (unknown.isInt()) {
      hidden.add(unknown.intValue());
    }
    // Those are found by their spelling.
    root.path("added_tokens").forEach(added -> hidden.remove(added.path("id").intValue()));
    ObjectNode made = root.deepCopy();
    JsonNode vocab = made.path("model").path("vocab");
    for (int id : hidden) {
      if (vocab.path(id) instanceof ArrayNode piece) {
        piece.set(0, piece.textNode(UNSPELT + piece.get(0).asText()));
      }
    }
    JsonNode decoder = made.get("decoder");
    ArrayNode decoders = made.putObject("decoder").put("type", "Sequence").putArray("decoders");
    decoders
        .addObject()
        .put("type", "Replace")
        .put("content", "")
        .putObject("pattern")
        .put("String", UNSPELT);
    if (decoder != null && decoder.isObject()) {
      decoders.add(decoder);
    }
    return made;
  }
}
