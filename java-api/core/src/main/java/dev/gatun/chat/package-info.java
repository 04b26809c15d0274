/**
 * Conversations with a language model: {@link dev.gatun.chat.Chat} answers messages, tool calls and
 * reasoning apart from the text, whole or as they come.
 */
package dev.gatun.chat;
