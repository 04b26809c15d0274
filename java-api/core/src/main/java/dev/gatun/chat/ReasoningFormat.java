package dev.gatun.chat;

import dev.gatun.text.Tokenizer;
import java.util.List;

/**
 * What stands around a model's reasoning.
 *
 * @param open what it begins with
 * @param close what it ends with
 */
record ReasoningFormat(String open, String close) {
  private static final List<ReasoningFormat> ALL =
      List.of(
          new ReasoningFormat("<think>", "</think>"),
          new ReasoningFormat("<|START_THINKING|>", "<|END_THINKING|>"),
          new ReasoningFormat("[THINK]", "[/THINK]"),
          new ReasoningFormat("<thinking>", "</thinking>"));

  /** What a template's own words or the vocabulary show; null for none. */
  static ReasoningFormat of(String template, Tokenizer tokenizer) {
    for (ReasoningFormat each : ALL) {
      boolean tokens = has(tokenizer, each.open) && has(tokenizer, each.close);
      if (tokens || template.contains(each.close)) {
        return each;
      }
    }
    return null;
  }

  private static boolean has(Tokenizer tokenizer, String token) {
    return tokenizer.tokenToId(token).isPresent()
        || tokenizer.controlTokens().ids().containsKey(token);
  }
}
