package dev.gatun.chat;

import dev.gatun.generation.GenerationResult;
import java.util.List;

/**
 * What a request gave.
 *
 * @param choices its answers, one or as many as were asked for
 * @param generation tokens and times
 */
public record ChatResult(List<ChatChoice> choices, GenerationResult generation) {
  /** Copies. */
  public ChatResult {
    choices = List.copyOf(choices);
  }

  /** {@return the first answer's message} */
  public ChatMessage message() {
    return choices.getFirst().message();
  }

  /** {@return the first answer's text, without reasoning and calls; it may be empty} */
  public String text() {
    return message().content();
  }
}
