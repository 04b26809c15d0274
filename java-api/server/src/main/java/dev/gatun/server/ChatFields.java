package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatRequest;
import dev.gatun.chat.ContextLengthException;
import dev.gatun.chat.ToolCall;
import dev.gatun.text.jinja.TemplateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What a request says of its conversation: messages, tools, and what the template is given. */
final class ChatFields {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  /** What templates begin a model's reasoning with. */
  private static final List<String> REASONING = List.of("<think>", "[THINK]", "<|START_THINKING|>");

  private ChatFields() {}

  /** The conversation of a request, its tools included. */
  static ChatRequest.Builder read(Fields fields, GenerativeModel model) {
    ChatRequest.Builder request = ChatRequest.builder();
    List<JsonNode> given = fields.array("messages");
    if (given == null) {
      throw fields.missing("messages");
    }
    if (given.isEmpty()) {
      throw ApiException.wrong("messages", "expected at least one message");
    }
    // Templates that do not know the newer of OpenAI's two names for one role know the older.
    String template = model.chat().template().source(null, fields.any("tools") != null);
    boolean developers = template.contains("developer");
    for (int i = 0; i < given.size(); i++) {
      request.message(message(fields.element("messages", i, given.get(i)), developers));
    }
    boolean goesOn = fields.flag("continue_final_message", false);
    if (fields.flag("add_generation_prompt", !goesOn) == goesOn) {
      throw ApiException.wrong(
          "add_generation_prompt", "expected the opposite of continue_final_message");
    }
    request.continuing(goesOn);
    fields
        .object("chat_template_kwargs")
        .ifPresent(
            all ->
                all.forEach(
                    (key, value) -> {
                      requireRead(template, all.name(key), key);
                      request.variable(key, Json.plain(value));
                    }));
    fields
        .text("reasoning_effort")
        .ifPresent(
            effort -> {
              requireRead(template, "reasoning_effort", "reasoning_effort");
              request.variable("reasoning_effort", effort);
            });
    return request;
  }

  private static void requireRead(String template, String name, String variable) {
    if (!template.contains(variable)) {
      throw Fields.unsupported(name, "the model's chat template does not read it");
    }
  }

  private static ChatMessage message(Fields message, boolean developers) {
    String role = message.requiredText("role");
    if (!ROLES.contains(role)) {
      throw ApiException.wrong(
          message.name("role"), "%s, expected one of %s".formatted(role, new TreeSet<>(ROLES)));
    }
    String content = content(message);
    List<ToolCall> calls = role.equals("assistant") ? toolCalls(message) : List.of();
    if (content == null && calls.isEmpty()) {
      throw message.missing("content");
    }
    String reasoning = "";
    if (role.equals("assistant")) {
      reasoning = message.text("reasoning_content").orElse("");
      message.refuse("audio", "the model reads text");
      message.refuse("function_call", "send tool_calls");
      message.harmless("refusal", "annotations");
    }
    String callId = role.equals("tool") ? message.requiredText("tool_call_id") : null;
    String name = message.text("name").orElse(null);
    message.finish();
    return new ChatMessage(
        role.equals("developer") && !developers ? "system" : role,
        content == null ? "" : content,
        reasoning,
        calls,
        callId,
        name,
        Map.of());
  }

  /** The text of a message, whose parts are joined; null where there is none. */
  private static String content(Fields message) {
    JsonNode content = message.any("content");
    if (content == null || content.isTextual()) {
      return content == null ? null : content.textValue();
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

  private static List<ToolCall> toolCalls(Fields message) {
    List<ToolCall> calls = new ArrayList<>();
    List<JsonNode> given = message.array("tool_calls");
    if (given == null) {
      return calls;
    }
    for (JsonNode each : given) {
      Fields call = message.element("tool_calls", calls.size(), each);
      requireFunction(call);
      Fields function = call.object("function").orElseThrow(() -> call.missing("function"));
      String arguments = function.text("arguments").orElse("{}");
      calls.add(new ToolCall(call.requiredText("id"), function.requiredText("name"), arguments));
      function.finish();
      call.harmless("index");
      call.finish();
    }
    return calls;
  }

  /** Whether a tool, or a call, is of the one kind that there is. */
  static void requireFunction(Fields fields) {
    String type = fields.text("type").orElse("function");
    if (!type.equals("function")) {
      throw Fields.unsupported(fields.name("type"), type + "; tools are functions");
    }
  }

  /**
   * The tokens of a conversation; those that steer the model come of its template alone.
   *
   * @throws ApiException where the template gives up
   */
  static long[] prompt(ChatRequest request, GenerativeModel model) {
    try {
      return model.chat().prompt(request).encode(model.tokenizer());
    } catch (TemplateException | IllegalArgumentException e) {
      throw refused(e);
    }
  }

  /**
   * Whether a text that is held to a format would be the answer's own.
   *
   * @throws ApiException where the template has begun reasoning
   */
  static void requireNoReasoning(ChatRequest request, GenerativeModel model) {
    String prompt = model.chat().prompt(request).toString().stripTrailing();
    if (REASONING.stream().anyMatch(prompt::endsWith)) {
      throw Fields.unsupported(
          "response_format",
          "the chat template has the model reason first; chat_template_kwargs may turn that off,"
              + " mostly by enable_thinking: false");
    }
  }

  /** What is told where {@link Chat} refuses a conversation. */
  static ApiException refused(RuntimeException problem) {
    String code =
        problem instanceof ContextLengthException ? "context_length_exceeded" : "invalid_value";
    return ApiException.badRequest("messages", code, problem.getMessage());
  }
}
