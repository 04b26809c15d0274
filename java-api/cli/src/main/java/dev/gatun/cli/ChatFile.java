package dev.gatun.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ToolCall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Conversations as files: the messages of OpenAI's protocol, {@code {"messages": [...]}}. */
final class ChatFile {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private ChatFile() {}

  static void write(Path file, List<ChatMessage> messages) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode all = root.putArray("messages");
    for (ChatMessage message : messages) {
      ObjectNode each =
          all.addObject().put("role", message.role()).put("content", message.content());
      if (!message.reasoning().isEmpty()) {
        each.put("reasoning_content", message.reasoning());
      }
      if (message.toolCallId() != null) {
        each.put("tool_call_id", message.toolCallId());
      }
      if (message.name() != null) {
        each.put("name", message.name());
      }
      if (!message.toolCalls().isEmpty()) {
        ArrayNode calls = each.putArray("tool_calls");
        for (ToolCall call : message.toolCalls()) {
          calls
              .addObject()
              .put("id", call.id())
              .put("type", "function")
              .putObject("function")
              .put("name", call.name())
              .put("arguments", call.arguments());
        }
      }
    }
    String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    AtomicFiles.replace(file, part -> Files.writeString(part, text));
  }

  /**
   * Reads a conversation.
   *
   * @param what how the user named the file
   * @throws CliException if it is none, with the place
   */
  static List<ChatMessage> read(String what, Path file) {
    JsonNode root = Json.read(what, file);
    JsonNode messages = root.isArray() ? root : root.path("messages");
    if (!messages.isArray()) {
      throw new CliException(file + ": no conversation, expected {\"messages\": [...]}");
    }
    List<ChatMessage> all = new ArrayList<>();
    for (JsonNode each : messages) {
      String place = "%s: messages[%d]".formatted(file, all.size());
      all.add(
          new ChatMessage(
              required(each, "role", place),
              optional(each, "content", "", place),
              optional(each, "reasoning_content", "", place),
              calls(each.path("tool_calls"), place),
              optional(each, "tool_call_id", null, place),
              optional(each, "name", null, place),
              Map.of()));
    }
    return all;
  }

  private static List<ToolCall> calls(JsonNode calls, String place) {
    List<ToolCall> all = new ArrayList<>();
    for (JsonNode each : calls) {
      String at = "%s.tool_calls[%d]".formatted(place, all.size());
      JsonNode function = each.path("function");
      all.add(
          new ToolCall(
              required(each, "id", at),
              required(function, "name", at + ".function"),
              required(function, "arguments", at + ".function")));
    }
    return all;
  }

  private static String required(JsonNode node, String key, String place) {
    String text = optional(node, key, null, place);
    if (text == null || text.isBlank() && key.equals("role")) {
      throw new CliException("%s has no %s".formatted(place, key));
    }
    return text;
  }

  private static String optional(JsonNode node, String key, String otherwise, String place) {
    JsonNode value = node.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return otherwise;
    }
    if (!value.isTextual()) {
      throw new CliException("%s.%s is no text".formatted(place, key));
    }
    return value.textValue();
  }
}
