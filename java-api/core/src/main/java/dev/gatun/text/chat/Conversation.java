package dev.gatun.text.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a chat template is given. Values are strings, numbers, booleans, lists, maps and nulls;
 * every string is data, whatever it spells.
 *
 * @param messages the turns, each with at least a {@code role}, and mostly a {@code content}
 * @param tools what the model may call, as JSON schemas; null for none
 * @param documents what it may quote, with {@code title} and {@code text}; null for none
 * @param addGenerationPrompt whether the beginning of an assistant's turn is put behind them
 * @param continued the field of the last message that the model goes on with, mostly {@code
 *     content}, so that nothing is put behind it; null for none
 * @param template the name of the template; null for {@code tool_use} where there are tools and
 *     such a template, else {@code default}
 * @param variables what else the template is given, such as {@code enable_thinking}
 */
public record Conversation(
    List<? extends Map<String, ?>> messages,
    List<? extends Map<String, ?>> tools,
    List<? extends Map<String, ?>> documents,
    boolean addGenerationPrompt,
    String continued,
    String template,
    Map<String, ?> variables) {

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException if there is no message, or if an assistant's turn is to be
   *     both begun and gone on with
   */
  public Conversation {
    messages = List.copyOf(messages);
    tools = tools == null ? null : List.copyOf(tools);
    documents = documents == null ? null : List.copyOf(documents);
    // Values may be null, which copyOf refuses.
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("there is no message, expected at least one");
    }
    if (continued != null && addGenerationPrompt) {
      throw new IllegalArgumentException(
          "a conversation goes on with its last message or adds a generation prompt, not both");
    }
  }

  /**
   * {@return messages with a generation prompt behind them: what a model answers}
   *
   * @param messages at least one, each with at least a {@code role}
   */
  public static Conversation of(List<? extends Map<String, ?>> messages) {
    return new Conversation(messages, null, null, true, null, null, Map.of());
  }

  /**
   * {@return a message of a role with a text, a map that may be changed}
   *
   * @param role such as {@code system}, {@code user} or {@code assistant}
   * @param content the text; null where the message has none, such as tool calls alone
   */
  public static Map<String, Object> message(String role, String content) {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("role", Objects.requireNonNull(role, "role"));
    message.put("content", content);
    return message;
  }

  /**
   * {@return this conversation with one more message}
   *
   * @param message with at least a {@code role}
   */
  public Conversation plus(Map<String, ?> message) {
    List<Map<String, ?>> all = new ArrayList<>(messages);
    all.add(message);
    return new Conversation(
        all, tools, documents, addGenerationPrompt, continued, template, variables);
  }

  /**
   * {@return this conversation with other tools}
   *
   * @param schemas what the model may call, as JSON schemas; null for none
   */
  public Conversation withTools(List<? extends Map<String, ?>> schemas) {
    return new Conversation(
        messages, schemas, documents, addGenerationPrompt, continued, template, variables);
  }

  /**
   * {@return this conversation with other documents}
   *
   * @param given what the model may quote, with {@code title} and {@code text}; null for none
   */
  public Conversation withDocuments(List<? extends Map<String, ?>> given) {
    return new Conversation(
        messages, tools, given, addGenerationPrompt, continued, template, variables);
  }

  /**
   * {@return this conversation with or without a generation prompt}
   *
   * @param add whether the beginning of an assistant's turn is put behind the messages
   * @throws IllegalArgumentException if {@code add} is true and the last message is open
   */
  public Conversation withGenerationPrompt(boolean add) {
    return new Conversation(messages, tools, documents, add, continued, template, variables);
  }

  /**
   * {@return this conversation, its last message open: the model goes on with that field of it, and
   * no generation prompt is added}
   *
   * @param field mostly {@code content}; null for a message that is closed
   */
  public Conversation continuing(String field) {
    return new Conversation(messages, tools, documents, false, field, template, variables);
  }

  /**
   * {@return this conversation for the template of a name}
   *
   * @param name of the template; null for {@code tool_use} where there are tools and such a
   *     template, else {@code default}
   */
  public Conversation withTemplate(String name) {
    return new Conversation(
        messages, tools, documents, addGenerationPrompt, continued, name, variables);
  }

  /**
   * {@return this conversation with one more variable, in place of one of that name}
   *
   * @param name what the template calls it, such as {@code enable_thinking}
   * @param value a string, number, boolean, list, map or null
   */
  public Conversation withVariable(String name, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(variables);
    all.put(name, value);
    return new Conversation(
        messages, tools, documents, addGenerationPrompt, continued, template, all);
  }
}
