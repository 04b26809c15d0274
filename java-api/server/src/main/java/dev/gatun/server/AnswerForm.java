package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.chat.ToolCallFormat;
import dev.gatun.generation.Constraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What form an answer is to have: calls of tools, and the format of its text.
 *
 * @param tools those that the model is told of
 * @param required those of which the answer calls one; none where the model is free
 * @param format how calls are spelt; null for what the model's template says
 * @param constraint what the text is held to; null for nothing
 * @param oneCall whether calls behind the first are left out
 * @param warnings what of the request has no effect, a sentence each
 */
record AnswerForm(
    List<Map<String, ?>> tools,
    List<String> required,
    ToolCallFormat format,
    Constraint constraint,
    boolean oneCall,
    List<String> warnings) {

  /** A function that may be called; its parameters are null where any are taken. */
  private record Tool(String name, JsonNode parameters, boolean strict, Map<String, ?> told) {}

  /** Reads {@code tools}, {@code tool_choice}, {@code response_format} and what belongs to them. */
  static AnswerForm read(Fields fields, GenerativeModel model) {
    List<Tool> tools = tools(fields);
    if (!tools.isEmpty() && !model.chat().template().source(null, true).contains("tools")) {
      throw Fields.unsupported("tools", "the model's chat template knows none");
    }
    boolean oneCall = !fields.flag("parallel_tool_calls", true);
    String choice = choice(fields, tools);
    if (choice.equals("none")) {
      tools = List.of();
    }
    List<Map<String, ?>> told = tools.stream().<Map<String, ?>>map(Tool::told).toList();
    TextFormat text = TextFormat.read(fields);
    if (choice.equals("required") || choice.startsWith("=")) {
      List<String> required =
          choice.equals("required")
              ? tools.stream().map(Tool::name).toList()
              : List.of(choice.substring(1));
      // Such an answer has no text that could be held to a format.
      return new AnswerForm(told, required, null, null, oneCall, List.of());
    }
    if (tools.isEmpty() || text.isFree()) {
      return new AnswerForm(told, List.of(), null, text.constraint(), oneCall, warnings(tools));
    }
    if (!text.isJson()) {
      throw Fields.unsupported(
          "structured_outputs", "with tools, unless it is JSON or tool_choice is none");
    }
    // A call is JSON then, whatever the model's template has: one of the forms of the text.
    ObjectNode schema = Json.object();
    ArrayNode forms = schema.putArray("anyOf");
    for (Tool tool : tools) {
      forms.add(call(tool, "#/anyOf/%d/properties/arguments".formatted(forms.size())));
    }
    forms.add(Schemas.moved(text.schema(), "#/anyOf/" + forms.size()));
    Constraint constraint = TextFormat.schema("tools", schema);
    return new AnswerForm(told, List.of(), ToolCallFormat.JSON, constraint, oneCall, List.of());
  }

  private static List<String> warnings(List<Tool> tools) {
    return tools.stream()
        .filter(Tool::strict)
        .map(
            tool ->
                ("strict of the tool %s has no effect: arguments are held to their schema where"
                        + " tool_choice forces a call")
                    .formatted(tool.name))
        .toList();
  }

  private static ObjectNode call(Tool tool, String place) {
    ObjectNode call = Json.object().put("type", "object");
    ObjectNode properties = call.putObject("properties");
    properties.putObject("name").put("const", tool.name);
    JsonNode any = Json.object().put("type", "object");
    properties.set(
        "arguments", tool.parameters == null ? any : Schemas.moved(tool.parameters, place));
    call.putArray("required").add("name").add("arguments");
    return call.put("additionalProperties", false);
  }

  private static List<Tool> tools(Fields fields) {
    List<Tool> tools = new ArrayList<>();
    List<JsonNode> given = fields.array("tools");
    if (given == null) {
      return tools;
    }
    for (JsonNode each : given) {
      Fields tool = fields.element("tools", tools.size(), each);
      ChatFields.requireFunction(tool);
      Fields function = tool.object("function").orElseThrow(() -> tool.missing("function"));
      String name = function.requiredText("name");
      if (tools.stream().anyMatch(other -> other.name.equals(name))) {
        throw ApiException.wrong(function.name("name"), "another tool has the name " + name);
      }
      function.text("description");
      function.object("parameters");
      JsonNode parameters = function.any("parameters");
      boolean strict = function.flag("strict", false);
      function.finish();
      tool.finish();
      JsonNode schema = parameters == null || parameters.isEmpty() ? null : parameters;
      tools.add(new Tool(name, schema, strict, Json.map((ObjectNode) each)));
    }
    return tools;
  }

  /** {@code auto}, {@code none}, {@code required}, or the name of a tool behind an equals sign. */
  private static String choice(Fields fields, List<Tool> tools) {
    JsonNode choice = fields.any("tool_choice");
    if (choice == null) {
      return "auto";
    }
    String chosen = choice.asText();
    if (choice.isObject()) {
      Fields named = fields.object("tool_choice").orElseThrow();
      ChatFields.requireFunction(named);
      Fields function = named.object("function").orElseThrow(() -> named.missing("function"));
      String name = function.requiredText("name");
      function.finish();
      named.finish();
      if (tools.stream().noneMatch(tool -> tool.name.equals(name))) {
        throw ApiException.wrong("tool_choice", "there is no tool " + name);
      }
      return "=" + name;
    }
    if (!List.of("auto", "none", "required").contains(chosen)) {
      throw ApiException.wrong(
          "tool_choice", "%s, expected auto, none, required or a function".formatted(choice));
    }
    if (tools.isEmpty() && !chosen.equals("none")) {
      throw ApiException.wrong("tool_choice", "there are no tools to choose from");
    }
    return chosen;
  }
}
