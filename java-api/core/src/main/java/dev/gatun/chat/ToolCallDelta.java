package dev.gatun.chat;

/**
 * What came of a tool call. The first one of a call has its id and name, those after it more of its
 * arguments.
 *
 * @param call which call of the answer this is, from 0
 * @param id as {@link ToolCall#id}; null after the first
 * @param name as {@link ToolCall#name}; null after the first
 * @param arguments the text that goes on the arguments, which may be empty
 */
public record ToolCallDelta(int call, String id, String name, String arguments) {}
