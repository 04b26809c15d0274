/**
 * Conversations as prompts: {@link dev.gatun.text.chat.ChatTemplate} writes them as a model's own
 * template says, and no text in a message becomes one of the model's control tokens.
 */
package dev.gatun.text.chat;
