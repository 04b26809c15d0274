package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever clients send, the server lives, and answers who comes after. */
class HostileClientsTest {
  private static final List<String> PATHS =
      List.of(
          "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/tokenize");

  private static final List<String> BODIES =
      List.of(
          "{\"model\":\"llama\",\"messages\":[{\"role\":\"user\",\"content\":\"w5\"}],\"max_tokens\":1,"
              + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}]}",
          "{\"model\":\"llama\",\"prompt\":[\"w5\",[6,7]],\"max_tokens\":1,\"stop\":[\"w1\"],"
              + "\"logit_bias\":{\"3\":1},\"logprobs\":1,\"n\":2,\"stream\":false}",
          "{\"model\":\"embedder\",\"input\":[\"x\",[5,6]],\"dimensions\":4,\"encoding_format\":\"base64\"}",
          "{\"model\":\"reranker\",\"query\":\"w5\",\"documents\":[\"w6\",{\"text\":\"w7\"}],\"top_n\":1}",
          "{\"model\":\"llama\",\"prompt\":\"w5 \\ud800 \\u0000 w6\",\"return_token_strs\":true}");

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "-1",
          "0",
          "1e400",
          "1e-400",
          "NaN",
          "99999999999999999999",
          "\"\"",
          "\"w2\"",
          "[]",
          "[[]]",
          "{}",
          "[null]",
          "\"\\ud800\"",
          "[1,\"a\"]",
          "{\"a\":[{}]}",
          "0.5");

  private static final long SEED = Long.getLong("gatun.test.seed", 1);

  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = TestServer.ofAll(folder, options -> options);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** Puts other values, or none, in the place of some of a body's. */
  private static void mutate(JsonNode node, Random random) throws IOException {
    if (node instanceof ObjectNode object) {
      List<String> keys = new ArrayList<>();
      object.fieldNames().forEachRemaining(keys::add);
      for (String key : keys) {
        if (random.nextInt(4) == 0) {
          object.putRawValue(key, new RawValue(VALUES.get(random.nextInt(VALUES.size()))));
        } else {
          mutate(object.get(key), random);
        }
      }
    } else if (node.isArray()) {
      for (JsonNode each : node) {
        mutate(each, random);
      }
    }
  }

  private static String body(Random random) throws IOException {
    JsonNode node = TestModels.JSON.readTree(BODIES.get(random.nextInt(BODIES.size())));
    mutate(node, random);
    StringBuilder body = new StringBuilder(node.toString());
    for (int i = random.nextInt(3) - 1; i > 0; i--) {
      body.setCharAt(random.nextInt(body.length()), (char) (random.nextInt(0x60) + 0x20));
    }
    return random.nextInt(5) == 0
        ? body.substring(0, random.nextInt(body.length()))
        : body.toString();
  }

  private static String head(Random random) {
    String path = PATHS.get(random.nextInt(PATHS.size()));
    return switch (random.nextInt(10)) {
      case 0 -> Long.toString(random.nextLong(), 36).repeat(20) + "\0\u00FF";
      case 1 -> "\r\n\r\n\r\n";
      case 2 -> "GET / HTTP/9.9\r\n\r\n";
      case 3 -> "POST " + path + " HTTP/1.1\r\nContent-Length: -5\r\n\r\n";
      case 4 ->
          "POST "
              + path
              + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n";
      case 5 ->
          "POST "
              + path
              + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
      case 6 -> "GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n";
      case 7 -> "GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
      case 8 -> "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n";
      default -> RawClient.head(path, 50) + "{";
    };
  }

  private static void malformed(int count, long seed) throws Exception {
    Random random = new Random(seed);
    TreeMap<Integer, Integer> statuses = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      if (i % 10 == 0) {
        try (RawClient client = new RawClient(server.port())) {
          client.send(head(random));
          client.reset();
        }
        continue;
      }
      String body = body(random);
      HttpResponse<String> answer = server.post(PATHS.get(random.nextInt(PATHS.size())), body);
      statuses.merge(answer.statusCode(), 1, Integer::sum);
      if (answer.statusCode() != 200) {
        assertTrue(
            answer.statusCode() < 500, () -> "seed " + seed + ": " + body + "\n" + answer.body());
        TestServer.error(answer);
      }
    }
    assertTrue(statuses.containsKey(400), () -> "seed " + seed + ": " + statuses);
    assertAnswers();
  }

  private static void assertAnswers() throws Exception {
    assertEquals(
        1,
        server
            .json("/v1/completions", "{'model': 'llama', 'prompt': 'w5', 'max_tokens': 1}")
            .get("choices")
            .size());
  }

  @Test
  void malformed_requests() throws Exception {
    malformed(1000, SEED);
  }

  @Test
  @Tag("full")
  void many_malformed_requests() throws Exception {
    malformed(100_000, SEED + 1);
  }

  @Test
  void slow_ones_hold_up_nobody() throws Exception {
    slow(200);
  }

  @Test
  @Tag("full")
  void many_slow_ones_hold_up_nobody() throws Exception {
    slow(2000);
  }

  /** Connections that begin a request, and go on with it byte by byte. */
  private static void slow(int count) throws Exception {
    List<RawClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        RawClient client = new RawClient(server.port());
        clients.add(client);
        client.send(i % 2 == 0 ? "POST /v1/comp" : RawClient.head("/v1/completions", 1000) + "{");
      }
      for (int round = 0; round < 5; round++) {
        for (RawClient client : clients) {
          client.send("x");
        }
        assertAnswers();
      }
    } finally {
      for (RawClient client : clients) {
        client.close();
      }
    }
    assertAnswers();
  }

  @Test
  void broken_pipes() throws Exception {
    String body =
        "{\"model\":\"llama\",\"prompt\":\"w5\",\"max_tokens\":100,\"ignore_eos\":true,\"stream\":true}";
    for (int i = 0; i < 100; i++) {
      try (RawClient client = new RawClient(server.port())) {
        client.post("/v1/completions", body);
        if (i % 3 != 0) {
          client.readUntil("data:");
        }
        client.reset();
      }
    }
    assertAnswers();
    long end = System.nanoTime() + 5_000_000_000L;
    while (server.metric("gatun_sequences_running{model=\"llama\"}") != 0) {
      assertTrue(System.nanoTime() < end, "slots are lost");
    }
  }

  @Test
  void bytes_that_are_no_text() throws Exception {
    byte[] body = "{\"model\":\"llama\",\"prompt\":\"w\"}".getBytes(StandardCharsets.US_ASCII);
    body[26] = (byte) 0xFF;
    JsonNode error = TestServer.error(server.postBytes("/v1/completions", body));
    assertEquals("invalid_json", error.get("code").textValue());
  }
}
