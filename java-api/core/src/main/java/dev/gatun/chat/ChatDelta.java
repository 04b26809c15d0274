package dev.gatun.chat;

import dev.gatun.generation.GeneratedToken;
import java.util.List;

/**
 * What came of an answer since the delta before.
 *
 * @param index which of the request's answers this is, from 0
 * @param reasoning text that goes on the reasoning, or empty
 * @param content text that goes on the answer, or empty
 * @param toolCalls what came of tool calls
 * @param tokens the tokens that came; text may wait for the next ones
 */
public record ChatDelta(
    int index,
    String reasoning,
    String content,
    List<ToolCallDelta> toolCalls,
    List<GeneratedToken> tokens) {
  /** Copies. */
  public ChatDelta {
    toolCalls = List.copyOf(toolCalls);
    tokens = List.copyOf(tokens);
  }

  /**
   * {@return whether it has no text and no calls: tokens at most, whose text is yet to come or has
   * none}
   */
  public boolean isEmpty() {
    return reasoning.isEmpty() && content.isEmpty() && toolCalls.isEmpty();
  }
}
