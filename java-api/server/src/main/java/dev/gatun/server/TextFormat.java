package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.generation.Constraint;
import java.util.ArrayList;
import java.util.List;

/**
 * What a text is held to: {@code response_format} of OpenAI's protocol, or {@code
 * structured_outputs} as vLLM's server has it.
 *
 * @param constraint null for nothing
 * @param schema of what is JSON; null for other texts
 */
record TextFormat(Constraint constraint, JsonNode schema) {
  private static final TextFormat FREE = new TextFormat(null, null);

  boolean isFree() {
    return constraint == null;
  }

  boolean isJson() {
    return schema != null;
  }

  static TextFormat read(Fields fields) {
    TextFormat format = fields.object("response_format").map(TextFormat::ofResponse).orElse(FREE);
    TextFormat structured =
        fields.object("structured_outputs").map(TextFormat::ofStructured).orElse(FREE);
    if (!format.isFree() && !structured.isFree()) {
      throw ApiException.wrong("structured_outputs", "response_format says something else");
    }
    return format.isFree() ? structured : format;
  }

  private static TextFormat ofResponse(Fields format) {
    String type = format.requiredText("type");
    TextFormat read =
        switch (type) {
          case "text" -> FREE;
          case "json_object" ->
              new TextFormat(Constraint.jsonObject(), Json.object().put("type", "object"));
          case "json_schema" ->
              ofSchema(
                  format.object("json_schema").orElseThrow(() -> format.missing("json_schema")));
          default ->
              throw ApiException.wrong(
                  format.name("type"), type + ", expected text, json_object or json_schema");
        };
    format.finish();
    return read;
  }

  private static TextFormat ofSchema(Fields named) {
    named.text("name");
    named.text("description");
    // What is not strict may be held to the schema all the same.
    named.flag("strict", false);
    JsonNode schema = named.any("schema");
    if (schema == null) {
      throw named.missing("schema");
    }
    named.finish();
    return new TextFormat(schema(named.name("schema"), schema), schema);
  }

  /**
   * A schema as a constraint.
   *
   * @param name of the parameter that has it
   */
  static Constraint schema(String name, JsonNode schema) {
    try {
      return Constraint.jsonSchema(schema.toString());
    } catch (IllegalArgumentException e) {
      throw ApiException.wrong(name, e.getMessage());
    }
  }

  private static TextFormat ofStructured(Fields fields) {
    List<TextFormat> found = new ArrayList<>();
    JsonNode schema = fields.any("json");
    if (schema != null) {
      found.add(new TextFormat(schema(fields.name("json"), schema), schema));
    }
    if (fields.flag("json_object", false)) {
      found.add(new TextFormat(Constraint.jsonObject(), Json.object().put("type", "object")));
    }
    try {
      fields.text("regex").ifPresent(text -> found.add(text(Constraint.regex(text))));
      fields.text("grammar").ifPresent(text -> found.add(text(Constraint.grammar(text))));
      List<JsonNode> choice = fields.array("choice");
      if (choice != null) {
        found.add(text(Constraint.choice(texts(fields.name("choice"), choice))));
      }
    } catch (ApiException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw ApiException.wrong("structured_outputs", e.getMessage());
    }
    fields.finish();
    if (found.size() != 1) {
      throw ApiException.wrong(
          "structured_outputs", "expected one of json, json_object, regex, grammar and choice");
    }
    return found.getFirst();
  }

  private static TextFormat text(Constraint constraint) {
    return new TextFormat(constraint, null);
  }

  private static List<String> texts(String name, List<JsonNode> given) {
    List<String> texts = new ArrayList<>();
    for (JsonNode each : given) {
      if (!each.isTextual()) {
        throw Fields.wrongType("%s[%d]".formatted(name, texts.size()), each, "a string");
      }
      texts.add(each.textValue());
    }
    return texts;
  }
}
