package dev.gatun.server;

import static dev.gatun.server.TestModels.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.server.TestModels.Greedy;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts by {@code /v1/completions} are those of the golden. */
class CompletionsTest {
  private static final String PATH = "/v1/completions";
  private static final Greedy GREEDY = Greedy.read();

  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = TestServer.ofAll(folder, options -> options);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** A request that goes on from the golden's prompt. */
  private static String request(String more) {
    return "{'model': 'llama', 'prompt': '%s', %s}".formatted(words(GREEDY.prompt()), more);
  }

  private static String greedy(String more) {
    return request("'temperature': 0, 'max_tokens': %d%s".formatted(GREEDY.output().length, more));
  }

  private static JsonNode first(JsonNode answer) {
    return answer.get("choices").get(0);
  }

  @Test
  void writes_what_transformers_writes() throws Exception {
    JsonNode answer = server.json(PATH, greedy(""));
    assertEquals(words(GREEDY.output()), first(answer).get("text").textValue());
    assertEquals("length", first(answer).get("finish_reason").textValue());
    assertEquals("text_completion", answer.get("object").textValue());
    assertEquals(GREEDY.prompt().length, answer.get("usage").get("prompt_tokens").intValue());
    assertEquals(GREEDY.output().length, answer.get("usage").get("completion_tokens").intValue());
    assertTrue(answer.get("timings").get("predicted_ms").doubleValue() >= 0);
  }

  @Test
  void streams_the_same() throws Exception {
    List<JsonNode> events =
        server.events(PATH, greedy(", 'stream': true, 'stream_options': {'include_usage': true}"));
    String text =
        events.stream()
            .filter(event -> !event.get("choices").isEmpty())
            .map(event -> first(event).get("text").textValue())
            .collect(Collectors.joining());
    assertEquals(words(GREEDY.output()), text);
    JsonNode last = events.getLast();
    assertEquals(GREEDY.output().length, last.get("usage").get("completion_tokens").intValue());
    assertEquals("length", first(events.get(events.size() - 2)).get("finish_reason").textValue());
    // A token an event, its end, the usage.
    assertEquals(GREEDY.output().length + 2, events.size());
  }

  @Test
  void takes_ids_and_several_prompts() throws Exception {
    String ids = TestModels.list(GREEDY.prompt()).toString();
    String rest = ", 'temperature': 0, 'max_tokens': 3}";
    String three = words(Arrays.copyOf(GREEDY.output(), 3));
    JsonNode one = server.json(PATH, "{'model': 'llama', 'prompt': %s%s".formatted(ids, rest));
    assertEquals(three, first(one).get("text").textValue());
    JsonNode two =
        server.json(PATH, "{'model': 'llama', 'prompt': [[7, 8], %s]%s".formatted(ids, rest));
    assertEquals(2, two.get("choices").size());
    assertEquals(1, two.get("choices").get(1).get("index").intValue());
    assertEquals(three, two.get("choices").get(1).get("text").textValue());
    assertEquals(6, two.get("usage").get("completion_tokens").intValue());
  }

  @Test
  void several_answers_of_one_prompt() throws Exception {
    JsonNode drawn = server.json(PATH, request("'n': 3, 'seed': 5, 'max_tokens': 9"));
    assertEquals(3, drawn.get("choices").size());
    String text = drawn.get("choices").get(0).get("text").textValue();
    assertNotEquals(text, drawn.get("choices").get(1).get("text").textValue());
    assertEquals(27, drawn.get("usage").get("completion_tokens").intValue());
    JsonNode again = server.json(PATH, request("'n': 1, 'seed': 5, 'max_tokens': 9"));
    assertEquals(text, first(again).get("text").textValue());
    JsonNode equal = server.json(PATH, request("'n': 2, 'temperature': 0, 'max_tokens': 4"));
    assertEquals(equal.get("choices").get(0).get("text"), equal.get("choices").get(1).get("text"));
    assertEquals(1, equal.get("choices").get(1).get("index").intValue());
  }

  @Test
  void ends_at_stops_and_echoes() throws Exception {
    String stop = words(Arrays.copyOfRange(GREEDY.output(), 2, 4));
    JsonNode stopped = server.json(PATH, greedy(", 'stop': ['" + stop + "', 'zzz']"));
    assertEquals("stop", first(stopped).get("finish_reason").textValue());
    String before = words(Arrays.copyOf(GREEDY.output(), 2)) + " ";
    assertEquals(before, first(stopped).get("text").textValue());
    JsonNode echoed = server.json(PATH, greedy(", 'echo': true"));
    assertTrue(first(echoed).get("text").textValue().startsWith(words(GREEDY.prompt())));
    assertTrue(first(echoed).get("text").textValue().endsWith(words(GREEDY.output())));
  }

  @Test
  void tells_logprobs() throws Exception {
    JsonNode logprobs = first(server.json(PATH, greedy(", 'logprobs': 2"))).get("logprobs");
    assertEquals(GREEDY.output().length, logprobs.get("tokens").size());
    assertEquals("w" + GREEDY.output()[0], logprobs.get("tokens").get(0).textValue());
    assertEquals(2, logprobs.get("top_logprobs").get(0).size());
    assertEquals(
        logprobs.get("token_logprobs").get(0),
        logprobs.get("top_logprobs").get(0).get("w" + GREEDY.output()[0]));
    assertEquals(0, logprobs.get("text_offset").get(0).intValue());
  }

  @Test
  void biases_decide() throws Exception {
    JsonNode answer =
        server.json(PATH, request("'temperature': 0, 'max_tokens': 3, 'logit_bias': {'40': 100}"));
    assertEquals("w40 w40 w40", first(answer).get("text").textValue());
  }

  @Test
  void names_what_is_wrong() throws Exception {
    assertError(400, "temperature", "0 to 2", request("'temperature': 3"));
    assertError(400, "temperature", "a string", request("'temperature': 'hot'"));
    assertError(400, "max_tokens", "from 1", request("'max_tokens': 0"));
    assertError(400, "max_tokens", "whole", request("'max_tokens': 1.5"));
    assertError(400, "suffix", "not supported", request("'suffix': 'x'"));
    assertError(400, "best_of", "not supported", request("'best_of': 2"));
    assertError(400, "presence_penalti", "known are", request("'presence_penalti': 1"));
    assertError(400, "n", "1 to 32", request("'n': 33"));
    assertError(400, "logit_bias.101", "0 to 100", request("'logit_bias': {'101': 1}"));
    assertError(400, "prompt", "vocabulary", "{'model': 'llama', 'prompt': [101]}");
    assertError(400, "stop[1]", "a string", request("'stop': ['a', 1]"));
    assertError(400, "logit_bias.x", "id of a token", request("'logit_bias': {'x': 1}"));
    assertError(400, "stream_options", "stream", request("'stream_options': {}"));
    assertError(400, "prompt", "missing", "{'model': 'llama'}");
    assertError(400, "prompt[1]", "the number", "{'model': 'llama', 'prompt': ['w5', 5]}");
    assertError(404, "model", "[llama, embedder, reranker]", "{'model': 'x', 'prompt': 'w5'}");
    assertError(400, "model", "for embeddings", "{'model': 'embedder', 'prompt': 'w5'}");
    JsonNode longer =
        server.error(PATH, "{'model': 'llama', 'prompt': '" + "w5 ".repeat(200) + "'}");
    assertEquals("context_length_exceeded", longer.get("code").textValue());
    assertTrue(longer.get("message").textValue().contains("200 tokens"), longer::toString);
  }

  private static void assertError(int status, String param, String message, String request)
      throws Exception {
    JsonNode error = server.error(PATH, request);
    assertEquals(status, error.get("status").intValue(), error::toString);
    assertEquals(param, error.get("param").asText(), error::toString);
    assertTrue(error.get("message").textValue().contains(message), error::toString);
    assertEquals("invalid_request_error", error.get("type").textValue());
  }
}
