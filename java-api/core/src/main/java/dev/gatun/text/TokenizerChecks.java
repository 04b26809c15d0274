package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Refuses a tokenizer.json whose mistakes the native tokenizer would answer by ending the process.
 */
final class TokenizerChecks {
  private TokenizerChecks() {}

  static void check(JsonNode root, String source) {
    JsonNode model = root.path("model");
    if (!model.isObject()) {
      throw new TokenizerException(source + ": model must be an object: is it a tokenizer.json?");
    }
    JsonNode unk = model.path("unk_id");
    if (unk.isNumber() && !(unk.longValue() >= 0 && unk.longValue() < model.path("vocab").size())) {
      throw new TokenizerException(source + ": model.unk_id is " + unk + ", not in the vocabulary");
    }
    checkTemplates(root.path("post_processor"), source);
  }

  private static void checkTemplates(JsonNode processor, String source) {
    for (JsonNode inner : processor.path("processors")) {
      checkTemplates(inner, source);
    }
    JsonNode known = processor.path("special_tokens");
    for (String template : new String[] {"single", "pair"}) {
      for (JsonNode piece : processor.path(template)) {
        JsonNode id = piece.path("SpecialToken").path("id");
        if (!id.isMissingNode() && !known.has(id.asText())) {
          throw new TokenizerException(
              "%s: post_processor.%s uses %s, which its special_tokens lack"
                  .formatted(source, template, id));
        }
      }
    }
    for (JsonNode token : known) {
      if (token.path("ids").size() != token.path("tokens").size()) {
        throw new TokenizerException(
            source + ": post_processor.special_tokens: ids and tokens differ in number: " + token);
      }
    }
  }
}
