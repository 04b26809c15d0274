package dev.gatun.chat;

import dev.gatun.generation.Completion;

/**
 * An answer that ended.
 *
 * @param message the assistant's message, which goes on the conversation
 * @param completion the tokens that it came of, and why it ended
 */
public record ChatChoice(ChatMessage message, Completion completion) {}
