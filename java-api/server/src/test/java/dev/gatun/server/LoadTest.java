package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that all ask at once get their answers, and the server does not grow. */
class LoadTest {
  private static final int CLIENTS = 64;

  /** What is in use, garbage left out. */
  private record Use(long heap, long direct, int threads, long resident) {
    static Use now() throws Exception {
      for (int i = 0; i < 3; i++) {
        System.gc();
        Thread.sleep(50);
      }
      Runtime runtime = Runtime.getRuntime();
      long direct =
          ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
              .mapToLong(BufferPoolMXBean::getMemoryUsed)
              .sum();
      Path status = Path.of("/proc/self/status");
      long resident =
          Files.exists(status)
              ? Files.readAllLines(status).stream()
                  .filter(line -> line.startsWith("VmRSS:"))
                  .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                  .sum()
              : 0;
      return new Use(
          runtime.totalMemory() - runtime.freeMemory(),
          direct,
          ManagementFactory.getThreadMXBean().getThreadCount(),
          resident);
    }
  }

  @TempDir private Path folder;

  @Test
  @Tag("full")
  void two_minutes_of_64_clients() throws Exception {
    load(Duration.ofSeconds(20), Duration.ofSeconds(100));
  }

  @Test
  void some_seconds_of_64_clients() throws Exception {
    load(Duration.ofSeconds(2), Duration.ofSeconds(2));
  }

  private void load(Duration warm, Duration measured) throws Exception {
    try (TestServer server = TestServer.ofAll(folder, options -> options)) {
      run(server, warm);
      Use before = Use.now();
      List<Double> queue = run(server, measured);
      Use after = Use.now();
      System.out.printf(
          "%d answers in %d s: queue p50 %.1f ms, p99 %.1f ms; before %s, after %s%n",
          queue.size(),
          measured.toSeconds(),
          queue.get(queue.size() / 2),
          queue.get(queue.size() * 99 / 100),
          before,
          after);
      assertTrue(after.heap - before.heap < 20 << 20, "the heap grows");
      assertTrue(after.direct - before.direct < 4 << 20, "direct memory grows");
      assertTrue(after.threads - before.threads < 8 + processors(), "threads stay");
      assertEquals(0, server.metric("gatun_sequences_running{model=\"llama\"}"));
      assertEquals(0, server.metric("gatun_queue_length{model=\"llama\"}"));
    }
  }

  /** Carriers of virtual threads may come late. */
  private static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** How long answers waited for their turn, in milliseconds, sorted. */
  private static List<Double> run(TestServer server, Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    List<Double> queue = Collections.synchronizedList(new ArrayList<>());
    AtomicLong count = new AtomicLong();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Callable<Void> client =
            () -> {
              while (System.nanoTime() < end) {
                ask(server, count.getAndIncrement(), queue);
              }
              return null;
            };
        all.add(clients.submit(client));
      }
      for (Future<?> each : all) {
        each.get(time.toSeconds() + 60, TimeUnit.SECONDS);
      }
    }
    Collections.sort(queue);
    return queue;
  }

  private static void ask(TestServer server, long number, List<Double> queue) throws Exception {
    String chat =
        "{'model': 'llama', 'messages': [{'role': 'user', 'content': 'w5 w%d'}], 'seed': %d,"
            .formatted(number % 80 + 10, number);
    switch ((int) (number % 4)) {
      case 0 -> {
        List<JsonNode> events =
            server.events(
                "/v1/chat/completions",
                chat
                    + "'max_tokens': 20, 'stream': true, 'stream_options': {'include_usage':"
                    + " true}}");
        queue.add(events.getLast().get("timings").get("queue_ms").doubleValue());
      }
      case 1 -> {
        JsonNode answer = server.json("/v1/chat/completions", chat + "'max_tokens': 30, 'n': 2}");
        queue.add(answer.get("timings").get("queue_ms").doubleValue());
      }
      case 2 -> server.json("/v1/embeddings", "{'model': 'embedder', 'input': ['x', 'a b c']}");
      default ->
          server.json(
              "/v1/rerank",
              "{'model': 'reranker', 'query': 'w5', 'documents': ['w6', 'w7 w8', 'w9']}");
    }
  }
}
