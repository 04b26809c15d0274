package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client that leaves frees its slot, and a server that is closed lets answers end. */
class LeavingTest {
  private static final String PATH = "/v1/completions";
  private static final String RUNNING = "gatun_sequences_running{model=\"llama\"}";
  private static final String WAITING = "gatun_queue_length{model=\"llama\"}";
  private static final String LONG = "{\"prompt\": \"w5\", \"max_tokens\": 90000%s}";

  @TempDir private Path folder;

  private static void await(TestServer server, String metric, double value, double seconds)
      throws Exception {
    long start = System.nanoTime();
    double found = server.metric(metric);
    while (found != value) {
      assertTrue(
          System.nanoTime() - start < seconds * 1e9, metric + " is " + found + ", not " + value);
      Thread.sleep(10);
      found = server.metric(metric);
    }
  }

  @Test
  void who_leaves_a_stream() throws Exception {
    try (TestServer server = TestServer.ofLong(folder, 1, options -> options)) {
      try (RawClient client = new RawClient(server.port())) {
        client.post(PATH, LONG.formatted(", \"stream\": true")).readUntil("data:");
        await(server, RUNNING, 1, 5);
      }
      await(server, RUNNING, 0, 1);
      RawClient client = new RawClient(server.port());
      client.post(PATH, LONG.formatted(", \"stream\": true")).readUntil("data:");
      client.reset();
      await(server, RUNNING, 0, 1);
      assertEquals(
          2, server.metric("gatun_requests_total{path=\"/v1/completions\",status=\"200\"}"));
    }
  }

  @Test
  void who_leaves_before_anything_was_written() throws Exception {
    assumeTrue(Files.exists(Path.of("/proc/self/net/tcp")), "only Linux tells");
    try (TestServer server = TestServer.ofLong(folder, 1, options -> options);
        RawClient runs = new RawClient(server.port())) {
      runs.post(PATH, LONG.formatted(""));
      await(server, RUNNING, 1, 5);
      try (RawClient waits = new RawClient(server.port())) {
        waits.post(PATH, LONG.formatted(""));
        await(server, WAITING, 1, 5);
      }
      await(server, WAITING, 0, 1);
      runs.reset();
      await(server, RUNNING, 0, 1);
      assertEquals(
          2, server.metric("gatun_requests_total{path=\"/v1/completions\",status=\"499\"}"));
      server.json(PATH, "{'prompt': 'w5', 'max_tokens': 1}");
    }
  }

  /** A client that reads nothing more of its stream, whose buffers are full soon. */
  @Test
  void who_reads_nothing() throws Exception {
    ServerLimits usual = ServerLimits.DEFAULT;
    ServerLimits limits =
        new ServerLimits(
            usual.bodyBytes(),
            usual.headerBytes(),
            usual.jsonDepth(),
            Duration.ofSeconds(1),
            usual.requestTime(),
            usual.queueTime(),
            usual.queueLength(),
            Duration.ZERO);
    try (TestServer server = TestServer.ofLong(folder, 32, options -> options.withLimits(limits));
        RawClient client = new RawClient(server.port())) {
      client.post(PATH, LONG.formatted(", \"stream\": true, \"n\": 32, \"logprobs\": 20"));
      await(server, RUNNING, 32, 5);
      await(server, RUNNING, 0, 60);
    }
  }

  private TestServer ending(Duration time) throws Exception {
    ServerLimits usual = ServerLimits.DEFAULT;
    return TestServer.ofLong(
        folder,
        1,
        options ->
            options.withLimits(
                new ServerLimits(
                    usual.bodyBytes(),
                    usual.headerBytes(),
                    usual.jsonDepth(),
                    usual.bodyTime(),
                    usual.requestTime(),
                    usual.queueTime(),
                    usual.queueLength(),
                    time)));
  }

  @Test
  void answers_end_before_the_server() throws Exception {
    TestServer server = ending(Duration.ofSeconds(20));
    String request = "{\"prompt\": \"w5\", \"max_tokens\": 300, \"stream\": true}";
    try (RawClient client = new RawClient(server.port())) {
      client.post(PATH, request).readUntil("data:");
      Thread closing = Thread.startVirtualThread(server::close);
      String rest = client.readUntil("[DONE]");
      assertTrue(rest.contains("\"finish_reason\":\"length\""), rest);
      closing.join();
    }
  }

  @Test
  void answers_are_cut_in_the_end() throws Exception {
    TestServer server = ending(Duration.ofMillis(300));
    try (RawClient client = new RawClient(server.port());
        RawClient whole = new RawClient(server.port())) {
      client.post(PATH, LONG.formatted(", \"stream\": true")).readUntil("data:");
      whole.post(PATH, LONG.formatted(""));
      await(server, WAITING, 1, 5);
      long start = System.nanoTime();
      Thread closing = Thread.startVirtualThread(server::close);
      String rest = client.readUntil("shutting_down");
      assertTrue(rest.contains("shutting_down"), "it was cut in silence");
      assertTrue(whole.readUntil("}}").contains("503"));
      closing.join();
      assertTrue(System.nanoTime() - start < 5e9, "it took too long");
    }
  }
}
