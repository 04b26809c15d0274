package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.GeneratorOptions;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A model that knows its answers gives, by the protocol, those that transformers gives. */
class GoldenChatTest {
  private static final Path MODEL = TestModels.GOLDENS.resolve("chat-model");
  private static final String PATH = "/v1/chat/completions";
  private static final String END = "<|im_end|>";

  private static final Pattern ANSWER =
      Pattern.compile(
          "(?:<think>\n(?<reasoning>.*)\n</think>\n\n)?(?<content>.*?)(?<calls>\n?<tool_call>.*)?",
          Pattern.DOTALL);

  private static final Pattern CALL =
      Pattern.compile("<tool_call>\n(.*?)\n</tool_call>", Pattern.DOTALL);

  /** A golden's conversation as a client sends it. */
  private static ObjectNode request(JsonNode golden) {
    ObjectNode request = TestModels.JSON.createObjectNode();
    request.set("messages", golden.get("messages").deepCopy());
    if (!golden.get("tools").isNull()) {
      request.set("tools", golden.get("tools"));
    }
    for (JsonNode message : request.get("messages")) {
      for (JsonNode call : message.path("tool_calls")) {
        ObjectNode function = (ObjectNode) call.get("function");
        function.put("arguments", function.get("arguments").toString());
      }
    }
    return request.put("temperature", 0).put("max_tokens", golden.get("ids").size());
  }

  @Test
  void answers_as_transformers() throws Exception {
    JsonNode goldens = TestModels.JSON.readTree(MODEL.resolve("case.json").toFile()).get("answers");
    int ended = 0;
    try (TestServer server =
        TestServer.of(
            List.of(ServedModel.load("chat", MODEL, GeneratorOptions.defaults())),
            options -> options)) {
      for (JsonNode golden : goldens) {
        HttpResponse<String> given = server.post(PATH, request(golden).toString());
        assertEquals(200, given.statusCode(), given.body());
        JsonNode answer = TestModels.JSON.readTree(given.body());
        JsonNode usage = answer.get("usage");
        assertEquals(golden.get("prompt").size(), usage.get("prompt_tokens").intValue());
        assertEquals(golden.get("ids").size(), usage.get("completion_tokens").intValue());
        String text = golden.get("text").textValue();
        if (text.endsWith(END)) {
          compare(text.substring(0, text.length() - END.length()), answer.get("choices").get(0));
          ended++;
        }
        streamsTheSame(server, request(golden), answer.get("choices").get(0).get("message"));
      }
    }
    assertTrue(ended > 20, ended + " answers ended");
  }

  private static void compare(String expected, JsonNode choice) throws Exception {
    Matcher parts = ANSWER.matcher(expected);
    assertTrue(parts.matches());
    JsonNode message = choice.get("message");
    String reasoning = parts.group("reasoning");
    assertEquals(
        reasoning == null ? "" : reasoning.strip(),
        message.path("reasoning_content").asText("").strip());
    String content = message.get("content").isNull() ? "" : message.get("content").textValue();
    assertEquals(parts.group("content").strip(), content.strip());
    Matcher calls = CALL.matcher(parts.group("calls") == null ? "" : parts.group("calls"));
    int count = 0;
    while (calls.find()) {
      JsonNode call = TestModels.JSON.readTree(calls.group(1));
      JsonNode function = message.get("tool_calls").get(count++).get("function");
      assertEquals(call.get("name"), function.get("name"));
      assertEquals(
          call.get("arguments"), TestModels.JSON.readTree(function.get("arguments").textValue()));
    }
    assertEquals(count, message.path("tool_calls").size());
    assertEquals(
        count == 0 ? "stop" : "tool_calls", choice.get("finish_reason").textValue(), expected);
  }

  private static void streamsTheSame(TestServer server, ObjectNode request, JsonNode message)
      throws Exception {
    StringBuilder content = new StringBuilder();
    StringBuilder reasoning = new StringBuilder();
    List<String> arguments = new ArrayList<>();
    for (JsonNode event : server.eventsOf(PATH, request.put("stream", true).toString())) {
      JsonNode delta = event.get("choices").get(0).get("delta");
      content.append(delta.path("content").asText(""));
      reasoning.append(delta.path("reasoning_content").asText(""));
      for (JsonNode call : delta.path("tool_calls")) {
        int index = call.get("index").intValue();
        String part = call.get("function").get("arguments").textValue();
        if (index == arguments.size()) {
          arguments.add(part);
        } else {
          arguments.set(index, arguments.get(index) + part);
        }
      }
    }
    assertEquals(message.get("content").asText(""), content.toString());
    assertEquals(message.path("reasoning_content").asText(""), reasoning.toString());
    List<String> whole = new ArrayList<>();
    message
        .path("tool_calls")
        .forEach(call -> whole.add(call.get("function").get("arguments").textValue()));
    assertEquals(whole, arguments);
  }
}
