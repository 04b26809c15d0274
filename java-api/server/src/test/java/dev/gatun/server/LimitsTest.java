package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is too much is an error that names the limit, and the next request is answered. */
class LimitsTest {
  private static final String PATH = "/v1/completions";
  private static final String SHORT = "{'prompt': 'w5', 'max_tokens': 1}";

  /** A text that takes longer than any limit here. */
  private static final String LONG = "{\"prompt\": \"w5\", \"max_tokens\": 90000%s}";

  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    ServerLimits limits =
        new ServerLimits(
            2000,
            1000,
            5,
            Duration.ofMillis(500),
            Duration.ofMillis(1500),
            Duration.ofMillis(400),
            1,
            Duration.ZERO);
    server = TestServer.ofLong(folder, 1, options -> options.withLimits(limits));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void assertError(int status, String code, String message, JsonNode error)
      throws Exception {
    assertEquals(status, error.get("status").intValue(), error::toString);
    assertEquals(code, error.get("code").textValue(), error::toString);
    assertTrue(error.get("message").textValue().contains(message), error::toString);
    server.json(PATH, SHORT);
  }

  @Test
  void of_the_body() throws Exception {
    assertError(413, "body_too_large", "2000 bytes", server.error(PATH, " ".repeat(2001)));
    try (RawClient client = new RawClient(server.port())) {
      String chunked =
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n"
              + ("100\r\n" + " ".repeat(256) + "\r\n").repeat(9);
      client.send(chunked);
      assertTrue(client.readUntil("}}").contains("body_too_large"));
    }
    assertError(413, "body_too_large", "2000 bytes", server.error(PATH, " ".repeat(30_000)));
    String exact = "{\"prompt\": \"w5\", \"max_tokens\": 1}";
    assertEquals(200, server.post(PATH, exact + " ".repeat(2000 - exact.length())).statusCode());
  }

  @Test
  void of_the_time_for_the_body() throws Exception {
    try (RawClient client = new RawClient(server.port())) {
      client.send(RawClient.head(PATH, 100)).send("{\"prompt\":");
      long start = System.nanoTime();
      String answer = client.readAll();
      assertTrue(answer.startsWith("HTTP/1.1 408"), answer);
      assertTrue(answer.contains("body_timeout") && answer.contains("500 ms"), answer);
      assertTrue(System.nanoTime() - start < 3e9);
    }
    server.json(PATH, SHORT);
  }

  @Test
  void of_headers() throws Exception {
    HttpResponse<String> answer = server.get("/v1/models", "X-Long", "x".repeat(1000));
    assertError(431, "headers_too_large", "limit is 1000", TestServer.error(answer));
    assertEquals(200, server.get("/v1/models", "X-Long", "x".repeat(500)).statusCode());
  }

  @Test
  void of_depth_and_form() throws Exception {
    String deep = "{'prompt': [[[[[5]]]]]}";
    assertError(400, "json_too_deep", "5 deep", server.error(PATH, deep));
    assertError(400, "invalid_json", "line 1", server.error(PATH, "{'prompt': "));
    JsonNode open = server.error(PATH, "{'prompt': [5");
    assertError(400, "invalid_json", "end-of-input", open);
    assertFalse(open.toString().contains("Source"), open.toString());
    assertError(400, "invalid_json", "object", server.error(PATH, "[]"));
    assertError(400, "invalid_json", "object", server.error(PATH, ""));
    assertError(400, "invalid_json", "uplicate", server.error(PATH, "{'n': 1, 'n': 1}"));
    assertError(400, "invalid_json", "", server.error(PATH, SHORT + SHORT));
  }

  @Test
  void of_a_request() throws Exception {
    assertError(504, "request_timeout", "1500 ms", server.error(PATH, LONG.formatted("")));
    HttpResponse<String> stream = server.post(PATH, LONG.formatted(", \"stream\": true"));
    assertEquals(200, stream.statusCode());
    assertTrue(stream.body().strip().lines().toList().getLast().contains("request_timeout"));
    assertEquals(0, server.metric("gatun_sequences_running{model=\"llama\"}"));
  }

  @Test
  void of_the_queue() throws Exception {
    try (RawClient runs = new RawClient(server.port());
        RawClient waits = new RawClient(server.port())) {
      runs.post(PATH, LONG.formatted(", \"stream\": true"));
      runs.readUntil("data:");
      waits.post(PATH, LONG.formatted(""));
      while (server.metric("gatun_queue_length{model=\"llama\"}") != 1) {
        Thread.onSpinWait();
      }
      HttpResponse<String> third = server.post(PATH, TestServer.quoted(SHORT));
      assertEquals("queue_full", TestServer.error(third).get("code").textValue());
      assertEquals(503, third.statusCode());
      assertEquals("1", third.headers().firstValue("Retry-After").orElseThrow());
      String second = waits.readUntil("}}");
      assertTrue(second.contains("503") && second.contains("queue_timeout"), second);
    }
    server.json(PATH, SHORT);
  }

  @Test
  void of_methods_paths_and_types() throws Exception {
    assertEquals(405, server.get(PATH).statusCode());
    assertEquals("POST", server.get(PATH).headers().firstValue("Allow").orElseThrow());
    try (RawClient client = new RawClient(server.port())) {
      client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      String head = client.readAll();
      assertTrue(head.startsWith("HTTP/1.1 200") && head.endsWith("\r\n\r\n"), head);
    }
    HttpResponse<String> nowhere = server.get("/v2/nothing");
    assertEquals("not_found", TestServer.error(nowhere).get("code").textValue());
    try (RawClient client = new RawClient(server.port())) {
      client.send("POST " + PATH + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
      assertTrue(client.readUntil("}}").contains("unsupported_media_type"));
    }
  }

  @Test
  void of_who_may_ask() throws Exception {
    try (RawClient client = new RawClient(server.port())) {
      client.send("GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n");
      assertTrue(client.readUntil("}}").contains("host_not_allowed"));
    }
    HttpResponse<String> other = server.get("/v1/models", "Origin", "http://evil.example");
    assertEquals("origin_not_allowed", TestServer.error(other).get("code").textValue());
    assertEquals(403, other.statusCode());
    String own = "http://127.0.0.1:" + server.port();
    assertEquals(200, server.get("/v1/models", "Origin", own).statusCode());
    IllegalArgumentException open =
        assertThrows(
            IllegalArgumentException.class,
            () -> TestServer.of(List.of(), options -> options.withAddress("0.0.0.0", 0)));
    assertTrue(open.getMessage().contains("needs a model"), open.getMessage());
  }
}
