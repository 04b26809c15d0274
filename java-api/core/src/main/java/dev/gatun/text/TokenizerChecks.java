package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

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
    checkMerges(model, source);
    checkTemplates(root.path("post_processor"), source);
    checkPatterns(root.path("normalizer"), source);
  }

  /** The native tokenizer cuts the prefix off without looking whether it is there. */
  private static void checkMerges(JsonNode model, String source) {
    String prefix = model.path("continuing_subword_prefix").asText("");
    if (prefix.isEmpty()) {
      return;
    }
    int i = 0;
    for (JsonNode merge : model.path("merges")) {
      String second =
          merge.isArray()
              ? merge.path(1).asText()
              : merge.asText().substring(merge.asText().indexOf(' ') + 1);
      if (!second.startsWith(prefix)) {
        throw new TokenizerException(
            "%s: model.merges[%d] is %s, expected a second part that begins with %s"
                .formatted(source, i, merge, model.get("continuing_subword_prefix")));
      }
      i++;
    }
  }

  /** A pattern that matches nothing between characters makes it lose count of them. */
  private static void checkPatterns(JsonNode normalizer, String source) {
    for (JsonNode inner : normalizer.path("normalizers")) {
      checkPatterns(inner, source);
    }
    JsonNode pattern = normalizer.path("pattern");
    JsonNode text = pattern.path("String");
    if (text.isTextual() ? text.textValue().isEmpty() : matchesNothing(pattern.path("Regex"))) {
      throw new TokenizerException(
          "%s: normalizer: pattern %s matches the empty text".formatted(source, pattern));
    }
  }

  private static boolean matchesNothing(JsonNode regex) {
    if (!regex.isTextual()) {
      return false;
    }
    try {
      Pattern compiled = Pattern.compile(regex.textValue());
      return Stream.of("", "a", " a b\n")
          .flatMap(sample -> compiled.matcher(sample).results())
          .anyMatch(match -> match.start() == match.end());
    } catch (PatternSyntaxException e) {
      // The native tokenizer's own syntax, or none: it says so without ending the process.
      return false;
    }
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
