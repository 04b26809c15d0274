package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.chat.ChatRequest;
import java.util.List;
import java.util.Map;

/** What a request says of the form of its answer: tools, and the format of its text. */
final class ToolFields {
  private static final ObjectNode TEXT = Json.object().put("type", "text");

  private ToolFields() {}

  static void read(Fields fields, GenerativeModel model, ChatRequest.Builder request) {
    List<Map<String, ?>> tools = ChatFields.tools(fields);
    if (!tools.isEmpty() && !model.chat().template().source(null, true).contains("tools")) {
      throw Fields.unsupported("tools", "the model's chat template knows none");
    }
    JsonNode choice = fields.any("tool_choice");
    String chosen = choice == null ? "auto" : choice.asText(choice.toString());
    if (choice != null && tools.isEmpty() && !chosen.equals("none")) {
      throw ApiException.wrong("tool_choice", "there are no tools to choose from");
    }
    switch (chosen) {
      case "auto" -> request.tools(tools);
      case "none" -> {}
      default -> throw Fields.unsupported("tool_choice", chosen + ", expected auto or none");
    }
    fields.refuseUnless(
        "parallel_tool_calls", BooleanNode.TRUE, "the model decides how many calls it makes");
    fields.refuseUnless("response_format", TEXT, "the model writes text");
  }
}
