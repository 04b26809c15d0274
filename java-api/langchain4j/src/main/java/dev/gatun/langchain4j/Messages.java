package dev.gatun.langchain4j;

import dev.gatun.chat.ToolCall;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** LangChain4j's messages and tools as Gatun's, and back. */
final class Messages {
  private Messages() {}

  static dev.gatun.chat.ChatMessage of(ChatMessage message) {
    return switch (message) {
      case SystemMessage system -> dev.gatun.chat.ChatMessage.system(system.text());
      case UserMessage user -> {
        var made = dev.gatun.chat.ChatMessage.user(text(user.contents()));
        yield user.name() == null ? made : made.withField("name", user.name());
      }
      case AiMessage answer ->
          dev.gatun.chat.ChatMessage.assistant(
                  answer.text() == null ? "" : answer.text(), calls(answer))
              .withReasoning(answer.thinking() == null ? "" : answer.thinking());
      case ToolExecutionResultMessage result ->
          dev.gatun.chat.ChatMessage.tool(result.id(), result.toolName(), text(result.contents()));
      default ->
          throw new UnsupportedFeatureException(
              "messages of the type %s are not supported".formatted(message.type()));
    };
  }

  private static String text(List<Content> contents) {
    StringBuilder text = new StringBuilder();
    for (Content content : contents) {
      if (!(content instanceof TextContent part)) {
        throw new UnsupportedFeatureException(
            "content of the type %s is not supported: the model reads text alone"
                .formatted(content.type().name().toLowerCase(Locale.ROOT)));
      }
      text.append(text.isEmpty() ? "" : "\n").append(part.text());
    }
    return text.toString();
  }

  private static List<ToolCall> calls(AiMessage answer) {
    List<ToolCall> calls = new ArrayList<>();
    for (ToolExecutionRequest each : answer.toolExecutionRequests()) {
      calls.add(
          new ToolCall(
              each.id() == null ? "call%05d".formatted(calls.size()) : each.id(),
              each.name(),
              each.arguments() == null ? "{}" : each.arguments()));
    }
    return calls;
  }

  static AiMessage of(dev.gatun.chat.ChatMessage message) {
    AiMessage.Builder builder = AiMessage.builder();
    if (!message.content().isEmpty() || message.toolCalls().isEmpty()) {
      builder.text(message.content());
    }
    if (!message.reasoning().isEmpty()) {
      builder.thinking(message.reasoning());
    }
    return builder
        .toolExecutionRequests(message.toolCalls().stream().map(Messages::of).toList())
        .build();
  }

  static ToolExecutionRequest of(ToolCall call) {
    return ToolExecutionRequest.builder()
        .id(call.id())
        .name(call.name())
        .arguments(call.arguments())
        .build();
  }

  /** A tool as OpenAI's protocol has it, which is what chat templates read. */
  static Map<String, Object> of(ToolSpecification tool) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", tool.name());
    if (tool.description() != null) {
      function.put("description", tool.description());
    }
    function.put(
        "parameters",
        tool.parameters() == null
            ? Map.of("type", "object", "properties", Map.of())
            : JsonSchemaElementUtils.toMap(tool.parameters()));
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "function");
    map.put("function", function);
    return map;
  }
}
