package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.text.chat.Conversation;
import dev.gatun.text.jinja.TemplateException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The messages of a request, as a chat template is given them. */
final class ChatMessages {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private ChatMessages() {}

  /** The conversation that a request gives, its tools included. */
  static Conversation read(Fields fields) {
    List<JsonNode> given = fields.array("messages");
    if (given == null) {
      throw fields.missing("messages");
    }
    if (given.isEmpty()) {
      throw ApiException.wrong("messages", "expected at least one message");
    }
    List<Map<String, Object>> messages = new ArrayList<>();
    for (JsonNode each : given) {
      messages.add(message(fields.element("messages", messages.size(), each)));
    }
    boolean goesOn = fields.flag("continue_final_message", false);
    boolean prompt = fields.flag("add_generation_prompt", !goesOn);
    if (goesOn && prompt) {
      throw ApiException.wrong(
          "continue_final_message", "it needs add_generation_prompt to be false");
    }
    Conversation conversation = Conversation.of(messages).withGenerationPrompt(prompt);
    if (goesOn) {
      conversation = conversation.continuing("content");
    }
    JsonNode variables = fields.any("chat_template_kwargs");
    if (variables != null) {
      if (!variables.isObject()) {
        throw Fields.wrongType("chat_template_kwargs", variables, "an object");
      }
      for (Map.Entry<String, JsonNode> entry : variables.properties()) {
        conversation = conversation.withVariable(entry.getKey(), Json.plain(entry.getValue()));
      }
    }
    String effort = fields.text("reasoning_effort").orElse(null);
    return effort == null ? conversation : conversation.withVariable("reasoning_effort", effort);
  }

  private static Map<String, Object> message(Fields message) {
    String role = message.requiredText("role");
    if (!ROLES.contains(role)) {
      throw ApiException.wrong(
          message.name("role"), "%s, expected one of %s".formatted(role, new TreeSet<>(ROLES)));
    }
    Map<String, Object> read = new LinkedHashMap<>();
    // Templates know the older name of OpenAI's two for one thing.
    read.put("role", role.equals("developer") ? "system" : role);
    boolean assistant = role.equals("assistant");
    String content = content(message, !assistant);
    List<Object> calls = assistant ? toolCalls(message) : List.of();
    if (content == null && calls.isEmpty()) {
      throw message.missing("content");
    }
    read.put("content", content);
    if (!calls.isEmpty()) {
      read.put("tool_calls", calls);
    }
    message.text("name").ifPresent(name -> read.put("name", name));
    if (assistant) {
      message.text("reasoning_content").ifPresent(text -> read.put("reasoning_content", text));
      message.refuse("audio", "the model reads text");
      message.refuse("function_call", "send tool_calls");
      message.harmless("refusal", "annotations");
    }
    if (role.equals("tool")) {
      read.put("tool_call_id", message.requiredText("tool_call_id"));
    }
    message.finish();
    return read;
  }

  /** The text of a message, whose parts are joined; null where there is none. */
  private static String content(Fields message, boolean required) {
    JsonNode content = message.any("content");
    if (content == null) {
      if (required) {
        throw message.missing("content");
      }
      return null;
    }
    if (content.isTextual()) {
      return content.textValue();
    }
    if (!content.isArray()) {
      throw Fields.wrongType(message.name("content"), content, "a string or an array of parts");
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode each : content) {
      Fields part = message.element("content", texts.size(), each);
      String type = part.requiredText("type");
      if (!type.equals("text")) {
        throw Fields.unsupported(
            part.name("type"), "%s; the model reads text alone".formatted(type));
      }
      texts.add(part.requiredText("text"));
      part.finish();
    }
    return String.join("\n", texts);
  }

  private static List<Object> toolCalls(Fields message) {
    List<Object> calls = new ArrayList<>();
    List<JsonNode> given = message.array("tool_calls");
    if (given == null) {
      return calls;
    }
    for (JsonNode each : given) {
      Fields call = message.element("tool_calls", calls.size(), each);
      String type = call.text("type").orElse("function");
      if (!type.equals("function")) {
        throw Fields.unsupported(call.name("type"), type + "; tools are functions");
      }
      Fields function = call.object("function").orElseThrow(() -> call.missing("function"));
      Map<String, Object> named = new LinkedHashMap<>();
      named.put("name", function.requiredText("name"));
      named.put("arguments", function.text("arguments").orElse("{}"));
      function.finish();
      Map<String, Object> read = new LinkedHashMap<>();
      read.put("id", call.requiredText("id"));
      read.put("type", type);
      read.put("function", named);
      call.harmless("index");
      call.finish();
      calls.add(read);
    }
    return calls;
  }

  /**
   * The tokens of a conversation; those that steer the model come of its template alone.
   *
   * @throws ApiException where the template gives up
   */
  static long[] prompt(Conversation conversation, GenerativeModel model) {
    try {
      return model.template().apply(conversation).encode(model.tokenizer());
    } catch (TemplateException | IllegalArgumentException e) {
      throw ApiException.wrong("messages", e.getMessage());
    }
  }
}
