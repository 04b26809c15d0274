package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.generation.GeneratorOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /v1/chat/completions}. */
class ChatTest {
  private static final String PATH = "/v1/chat/completions";
  private static final String TOOLS =
      "'tools': [{'type': 'function', 'function': {'name': 'weather', 'description': 'of a city',"
          + " 'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}}}}}]";

  /** What the model that calls a tool writes, a token each. */
  private static final List<String> CALL =
      List.of(
          "<tool_call>",
          "{\"name\":\"weather\",\"arguments\":{\"city\":",
          "\"Colón\"}}",
          "</tool_call>");

  private static TestServer server;
  private static int seed;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    Path llama = TestModels.llama(folder.resolve("llama"), 128);
    Path caller = TestModels.llama(folder.resolve("caller"), 128);
    makeCaller(caller);
    GeneratorOptions options = GeneratorOptions.defaults();
    server =
        TestServer.of(
            List.of(
                ServedModel.load("llama", llama, options),
                ServedModel.load("caller", caller, options),
                TestModels.ofBytes("bytes")),
            each -> each);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** Has the tokens that a seed draws spell a tool call and the end of the text. */
  private static void makeCaller(Path folder) throws Exception {
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{{ bos_token }}{% if tools %} w97 {# <tool_call> #}{% endif %} {{ messages[0].content }}");
    seed = TestModels.saying(folder, new int[] {95, 97, 5, 6}, CALL);
  }

  private static String request(String model, String more) {
    return request(model, more, seed);
  }

  private static String request(String model, String more, int seed) {
    return "{'model': '%s', 'messages': [{'role': 'user', 'content': 'w5 w6'}], 'seed': %d%s}"
        .formatted(model, seed, more);
  }

  @Test
  void calls_tools() throws Exception {
    JsonNode answer = server.json(PATH, request("caller", ", " + TOOLS));
    JsonNode choice = answer.get("choices").get(0);
    assertEquals("tool_calls", choice.get("finish_reason").textValue(), answer::toString);
    JsonNode message = choice.get("message");
    assertTrue(message.get("content").isNull(), answer::toString);
    JsonNode call = message.get("tool_calls").get(0);
    assertEquals("function", call.get("type").textValue());
    assertFalse(call.get("id").textValue().isEmpty());
    assertEquals("weather", call.get("function").get("name").textValue());
    JsonNode arguments =
        TestModels.JSON.readTree(call.get("function").get("arguments").textValue());
    assertEquals("Colón", arguments.get("city").textValue());
  }

  @Test
  void streams_calls() throws Exception {
    List<JsonNode> events = server.events(PATH, request("caller", ", 'stream': true, " + TOOLS));
    StringBuilder arguments = new StringBuilder();
    List<String> names = new ArrayList<>();
    for (JsonNode event : events) {
      for (JsonNode call : event.get("choices").get(0).get("delta").path("tool_calls")) {
        assertEquals(0, call.get("index").intValue());
        arguments.append(call.get("function").get("arguments").asText(""));
        if (call.has("id")) {
          names.add(call.get("function").get("name").textValue());
        }
      }
    }
    assertEquals(List.of("weather"), names);
    assertEquals("Colón", TestModels.JSON.readTree(arguments.toString()).get("city").textValue());
    assertEquals(
        "tool_calls", events.getLast().get("choices").get(0).get("finish_reason").textValue());
  }

  @Test
  void reads_the_whole_conversation() throws Exception {
    String conversation =
        """
        {'model': 'llama', 'return_token_strs': true, 'messages': [
          {'role': 'developer', 'content': [{'type': 'text', 'text': 'w5'}, {'type': 'text', 'text': 'w6'}]},
          {'role': 'user', 'content': 'w7 w92 w2', 'name': 'Ada'},
          {'role': 'assistant', 'content': 'w8', 'refusal': null},
          {'role': 'assistant', 'content': null, 'tool_calls': [
            {'id': 'a', 'type': 'function', 'function': {'name': 'f', 'arguments': '{}'}}]},
          {'role': 'tool', 'content': 'w9', 'tool_call_id': 'a'}]}
        """;
    JsonNode answer = server.json("/tokenize", conversation);
    List<String> tokens = new ArrayList<>();
    answer.get("token_strs").forEach(each -> tokens.add(each.textValue()));
    // The roles' tokens are the template's own; those that the person spells are no such tokens.
    assertEquals(
        List.of("w95", "w91", "w5", "w6", "w92", "w7"), tokens.subList(0, 6), tokens::toString);
    assertEquals(1, tokens.stream().filter("w92"::equals).count(), tokens::toString);
    assertFalse(tokens.contains("w2"), tokens::toString);
    assertEquals(
        List.of("w93", "w8", "w93", "w94", "w9", "w96"),
        tokens.subList(tokens.size() - 6, tokens.size()));
    assertEquals(tokens.size(), answer.get("count").intValue());
  }

  @Test
  void goes_on_with_a_message() throws Exception {
    String more =
        "{'model': 'llama', 'messages': [{'role': 'user', 'content': 'w5'},"
            + " {'role': 'assistant', 'content': 'w6'}], 'continue_final_message': true%s}";
    JsonNode tokens = server.json("/tokenize", more.formatted(", 'return_token_strs': true"));
    JsonNode last = tokens.get("token_strs");
    assertEquals("w6", last.get(last.size() - 1).textValue());
    server.json(PATH, more.formatted(", 'max_tokens': 2"));
  }

  @Test
  void holds_texts_to_formats() throws Exception {
    String schema =
        "{'type': 'object', 'properties': {'city': {'enum': ['Colón', 'Panamá']},"
            + " 'metres': {'$ref': '#/$defs/m'}}, 'required': ['city', 'metres'],"
            + " 'additionalProperties': false, '$defs': {'m': {'type': 'integer', 'minimum': 1,"
            + " 'maximum': 99}}}";
    String format =
        ", 'max_tokens': 100, 'response_format': {'type': 'json_schema', 'json_schema': {'name':"
            + " 'place', 'strict': true, 'schema': "
            + schema
            + "}}";
    for (int i = 0; i < 10; i++) {
      JsonNode answer = server.json(PATH, request("bytes", format, i));
      JsonNode place = TestModels.JSON.readTree(content(answer));
      assertTrue(List.of("Colón", "Panamá").contains(place.get("city").asText()), place::toString);
      assertTrue(place.get("metres").isInt(), place::toString);
      assertEquals("stop", answer.get("choices").get(0).get("finish_reason").textValue());
    }
    String choice = ", 'structured_outputs': {'choice': ['yes', 'no']}";
    assertTrue(content(server.json(PATH, request("bytes", choice, 1))).matches("yes|no"));
    String regex = ", 'structured_outputs': {'regex': '[a-c]{3}'}";
    JsonNode text =
        server.json("/v1/completions", "{'model': 'bytes', 'prompt': 'x'" + regex + "}");
    assertTrue(text.get("choices").get(0).get("text").asText().matches("[a-c]{3}"), text::toString);
  }

  @Test
  void forces_calls() throws Exception {
    String strict =
        TOOLS.replace(
            "'properties': {'city': {'type': 'string'}}",
            "'properties': {'city': {'$ref': '#/$defs/c'}}, 'required': ['city'],"
                + " 'additionalProperties': false, '$defs': {'c': {'enum': ['Colón', 'Gatun']}}");
    String rest = ", 'max_tokens': 200, " + strict;
    for (String choice :
        List.of("'required'", "{'type': 'function', 'function': {'name': 'weather'}}")) {
      JsonNode answer = server.json(PATH, request("bytes", ", 'tool_choice': " + choice + rest, 3));
      JsonNode call = answer.get("choices").get(0).get("message").get("tool_calls").get(0);
      assertEquals("weather", call.get("function").get("name").textValue(), answer::toString);
      JsonNode arguments =
          TestModels.JSON.readTree(call.get("function").get("arguments").textValue());
      assertTrue(List.of("Colón", "Gatun").contains(arguments.get("city").asText()));
      assertEquals("tool_calls", answer.get("choices").get(0).get("finish_reason").textValue());
    }
    // A call, or an answer of the format.
    String format =
        ", 'response_format': {'type': 'json_schema', 'json_schema': {'name': 'n', 'schema':"
            + " {'type': 'object', 'properties': {'degrees': {'type': 'integer', 'maximum': 40,"
            + " 'minimum': 0}}, 'required': ['degrees'], 'additionalProperties': false}}}";
    for (int i = 0; i < 10; i++) {
      JsonNode message =
          server
              .json(PATH, request("bytes", format + rest, i))
              .get("choices")
              .get(0)
              .get("message");
      boolean calls = message.has("tool_calls");
      assertTrue(
          calls || TestModels.JSON.readTree(message.get("content").asText()).has("degrees"),
          message::toString);
    }
    JsonNode none = server.json(PATH, request("caller", ", 'tool_choice': 'none', " + TOOLS));
    assertFalse(none.get("choices").get(0).get("message").has("tool_calls"), none::toString);
  }

  @Test
  void what_has_no_effect_is_told() throws Exception {
    String strict = TOOLS.replace("'description'", "'strict': true, 'description'");
    JsonNode answer = server.json(PATH, request("caller", ", 'max_tokens': 1, " + strict));
    assertTrue(answer.get("warnings").get(0).textValue().contains("strict"), answer::toString);
  }

  private static String content(JsonNode answer) {
    return answer.get("choices").get(0).get("message").get("content").textValue();
  }

  @Test
  void copies_of_greedy_answers_stream_together() throws Exception {
    List<JsonNode> events =
        server.events(
            PATH, request("llama", ", 'stream': true, 'n': 2, 'temperature': 0, 'max_tokens': 4"));
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int index = i;
      texts.add(
          events.stream()
              .map(event -> event.get("choices").get(0))
              .filter(choice -> choice.get("index").intValue() == index)
              .map(choice -> choice.get("delta").path("content").asText(""))
              .collect(Collectors.joining()));
    }
    assertEquals(texts.get(0), texts.get(1));
    assertFalse(texts.get(0).isEmpty());
  }

  @Test
  void harmless_parameters_are_taken() throws Exception {
    server.json(
        PATH,
        request(
            "llama",
            ", 'max_tokens': 1, 'user': 'x', 'metadata': {'a': 'b'}, 'store': false,"
                + " 'service_tier': 'auto', 'parallel_tool_calls': true, 'modalities': ['text'],"
                + " 'response_format': {'type': 'text'}, 'stop': null, 'logit_bias': null"));
  }

  @Test
  void names_what_is_wrong() throws Exception {
    assertError("messages", "missing", "{'model': 'llama'}");
    assertError("messages", "at least one", "{'model': 'llama', 'messages': []}");
    assertError(
        "messages[0].role",
        "expected one of",
        "{'model': 'llama', 'messages': [{'role': 'king', 'content': 'w5'}]}");
    assertError(
        "messages[0].content", "missing", "{'model': 'llama', 'messages': [{'role': 'user'}]}");
    assertError(
        "messages[0].content[0].type",
        "text alone",
        "{'model': 'llama', 'messages': [{'role': 'user', 'content': [{'type': 'image_url',"
            + " 'image_url': {'url': 'x'}}]}]}");
    assertError(
        "messages[0].colour",
        "not known",
        "{'model': 'llama', 'messages': [{'role': 'user', 'content': 'w5', 'colour': 1}]}");
    assertError(
        "reasoning_effort", "does not read", request("llama", ", 'reasoning_effort': 'low'"));
    assertError(
        "chat_template_kwargs.colour",
        "does not read",
        request("llama", ", 'chat_template_kwargs': {'colour': 1}"));
    assertError("functions", "send tools", request("llama", ", 'functions': []"));
    assertError("tool_choice", "no tools", request("llama", ", 'tool_choice': 'auto'"));
    assertError(
        "tool_choice",
        "no tool x",
        request(
            "caller",
            ", 'tool_choice': {'type': 'function', 'function': {'name': 'x'}}, " + TOOLS));
    assertError(
        "tools",
        "not",
        request(
            "caller",
            ", 'tool_choice': 'required', "
                + TOOLS.replace("'type': 'string'", "'type': 'string', 'not': {}")));
    assertError(
        "response_format.type",
        "expected text",
        request("llama", ", 'response_format': {'type': 'xml'}"));
    assertError(
        "response_format.json_schema.schema",
        "#/not",
        request(
            "llama",
            ", 'response_format': {'type': 'json_schema', 'json_schema': {'schema': {'not':"
                + " {}}}}"));
    assertError(
        "structured_outputs", "one of json", request("llama", ", 'structured_outputs': {}"));
    assertError("top_logprobs", "logprobs", request("llama", ", 'top_logprobs': 2"));
    assertError("tools", "know", request("llama", ", " + TOOLS));
    assertError(
        "max_tokens", "differ", request("llama", ", 'max_tokens': 1, 'max_completion_tokens': 2"));
    JsonNode longer =
        server.error(
            PATH,
            "{'model': 'llama', 'messages': [{'role': 'user', 'content': '"
                + "w5 ".repeat(200)
                + "'}]}");
    assertEquals("context_length_exceeded", longer.get("code").textValue());
  }

  private static void assertError(String param, String message, String request) throws Exception {
    JsonNode error = server.error(PATH, request);
    assertEquals(400, error.get("status").intValue(), error::toString);
    assertEquals(param, error.get("param").asText(), error::toString);
    assertTrue(error.get("message").textValue().contains(message), error::toString);
  }
}
