package dev.gatun.chat;

import dev.gatun.text.Tokenizer;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.text.chat.Conversation;
import dev.gatun.text.chat.Prompt;
import dev.gatun.text.jinja.TemplateException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokens with which a model's chat templates end an assistant's turn, such as {@code
 * <|im_end|>}: files often name the end of a text alone.
 */
final class EndOfTurn {
  private static final String ANSWER = "It is open.";

  private EndOfTurn() {}

  /** Those that are control tokens of the vocabulary. */
  static Set<Integer> of(ChatTemplate template, Tokenizer tokenizer) {
    Set<Integer> ends = new LinkedHashSet<>();
    for (String name : template.names()) {
      Integer id = of(template, name, tokenizer.controlTokens().ids());
      if (id != null) {
        ends.add(id);
      }
    }
    return ends;
  }

  private static Integer of(ChatTemplate template, String name, Map<String, Integer> tokens) {
    Prompt prompt;
    try {
      prompt =
          template.apply(
              Conversation.of(
                      List.of(
                          Conversation.message("user", "Is the lock open?"),
                          Conversation.message("assistant", ANSWER)))
                  .withGenerationPrompt(false)
                  .withTemplate(name));
    } catch (TemplateException e) {
      // A template that refuses this conversation does not tell.
      return null;
    }
    String text = prompt.toString();
    int from = text.lastIndexOf(ANSWER);
    if (from < 0) {
      return null;
    }
    for (int at = from + ANSWER.length(); at < text.length(); at++) {
      String longest = null;
      for (String token : tokens.keySet()) {
        if (!token.isBlank()
            && text.startsWith(token, at)
            && prompt.fromTemplate(at, at + token.length())
            && (longest == null || token.length() > longest.length())) {
          longest = token;
        }
      }
      if (longest != null) {
        return tokens.get(longest);
      }
    }
    return null;
  }
}
