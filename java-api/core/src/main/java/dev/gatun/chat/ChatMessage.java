package dev.gatun.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A turn of a conversation. Its texts are data: whatever they spell, no control token comes of
 * them.
 *
 * @param role who speaks, mostly {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content what is said, which may be empty
 * @param reasoning what an assistant thought before it answered; empty for nothing
 * @param toolCalls what an assistant asked to be called
 * @param toolCallId of a tool's message: the call that it answers; null for others
 * @param name of a tool's message: the tool; else null, or a speaker's name
 * @param fields what the model's template reads of a message besides
 */
public record ChatMessage(
    String role,
    String content,
    String reasoning,
    List<ToolCall> toolCalls,
    String toolCallId,
    String name,
    Map<String, ?> fields) {

  /** Checks that it has a role and texts, and copies. */
  public ChatMessage {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    Objects.requireNonNull(reasoning, "reasoning");
    toolCalls = List.copyOf(toolCalls);
    // Values may be null, which copyOf refuses.
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    if (role.isBlank()) {
      throw new IllegalArgumentException("a message has no role, expected such as 'user'");
    }
  }

  /**
   * A message of a role.
   *
   * @param role who speaks, not blank, such as {@code user}
   * @param content what is said, which may be empty
   * @return a message with a role and text alone
   * @throws IllegalArgumentException for a blank role
   */
  public static ChatMessage of(String role, String content) {
    return new ChatMessage(role, content, "", List.of(), null, null, Map.of());
  }

  /**
   * What the model is told to be.
   *
   * @param content what the model is told to be
   * @return a message of the role {@code system}
   */
  public static ChatMessage system(String content) {
    return of("system", content);
  }

  /**
   * What a person says.
   *
   * @param content what the person says
   * @return a message of the role {@code user}
   */
  public static ChatMessage user(String content) {
    return of("user", content);
  }

  /**
   * What the model said.
   *
   * @param content what the model said
   * @return a message of the role {@code assistant}
   */
  public static ChatMessage assistant(String content) {
    return of("assistant", content);
  }

  /**
   * What the model said, and which tools it called.
   *
   * @param content what the model said, which may be empty
   * @param toolCalls the calls, in their order
   * @return a message of the role {@code assistant}
   */
  public static ChatMessage assistant(String content, List<ToolCall> toolCalls) {
    return new ChatMessage("assistant", content, "", toolCalls, null, null, Map.of());
  }

  /**
   * What a tool gave, to a call that a model asked for.
   *
   * @param call the call that it answers
   * @param result what the tool gave, as text
   * @return a message of the role {@code tool} with the call's id and name
   */
  public static ChatMessage tool(ToolCall call, String result) {
    return tool(call.id(), call.name(), result);
  }

  /**
   * What a tool gave.
   *
   * @param id the call's
   * @param name the tool; null where that is not known
   * @param result what the tool gave, as text
   * @return a message of the role {@code tool}
   */
  public static ChatMessage tool(String id, String name, String result) {
    return new ChatMessage("tool", result, "", List.of(), id, name, Map.of());
  }

  /**
   * {@return the same message with reasoning in place of what it had}
   *
   * @param thought what an assistant thought before it answered; empty for nothing
   */
  public ChatMessage withReasoning(String thought) {
    return new ChatMessage(role, content, thought, toolCalls, toolCallId, name, fields);
  }

  /**
   * {@return the same message with one more field that the template reads}
   *
   * @param key the field's name; one that is there is replaced
   * @param value a text, number, boolean, list or map; or null
   */
  public ChatMessage withField(String key, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(fields);
    all.put(key, value);
    return new ChatMessage(role, content, reasoning, toolCalls, toolCallId, name, all);
  }

  /** As templates read it. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("role", role);
    map.put("content", content);
    if (!reasoning.isEmpty()) {
      map.put("reasoning_content", reasoning);
    }
    if (!toolCalls.isEmpty()) {
      List<Object> calls = new ArrayList<>();
      for (ToolCall call : toolCalls) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put("arguments", call.arguments());
        Map<String, Object> each = new LinkedHashMap<>();
        each.put("id", call.id());
        each.put("type", "function");
        each.put("function", function);
        calls.add(each);
      }
      map.put("tool_calls", calls);
    }
    if (toolCallId != null) {
      map.put("tool_call_id", toolCallId);
    }
    if (name != null) {
      map.put("name", name);
    }
    map.putAll(fields);
    return map;
  }
}
