package dev.gatun.server;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToLongFunction;

/** What the server counts, in Prometheus' text format. */
final class Metrics {
  /** What is counted of a model. */
  static final class OfModel {
    final LongAdder promptTokens = new LongAdder();
    final LongAdder cachedTokens = new LongAdder();
    final LongAdder generatedTokens = new LongAdder();
    final Histogram queue = new Histogram();
    final Histogram firstToken = new Histogram();
  }

  private record Answered(String path, int status) implements Comparable<Answered> {
    @Override
    public int compareTo(Answered other) {
      int order = path.compareTo(other.path);
      return order != 0 ? order : Integer.compare(status, other.status);
    }
  }

  private final Map<Answered, LongAdder> answers = new ConcurrentSkipListMap<>();
  private final Map<String, Histogram> times = new ConcurrentSkipListMap<>();
  private final LongAdder running = new LongAdder();

  void begin() {
    running.increment();
  }

  void end(String path, int status, double seconds) {
    running.decrement();
    answers.computeIfAbsent(new Answered(path, status), _ -> new LongAdder()).increment();
    times.computeIfAbsent(path, _ -> new Histogram()).add(seconds);
  }

  /** All of it, in the text format of version 0.0.4. */
  String text(Collection<ServedModel> models) {
    StringBuilder out = new StringBuilder();
    head(
        out,
        "gatun_requests_total",
        "counter",
        "Requests that were answered; 499: the client left.");
    answers.forEach(
        (answered, count) ->
            out.append(
                "gatun_requests_total{path=\"%s\",status=\"%d\"} %d\n"
                    .formatted(answered.path, answered.status, count.sum())));
    head(out, "gatun_requests_running", "gauge", "Requests that are being answered.");
    out.append("gatun_requests_running %d\n".formatted(running.sum()));
    head(out, "gatun_request_seconds", "histogram", "From a request's head to its answer's end.");
    times.forEach((path, time) -> time.write(out, "gatun_request_seconds", label("path", path)));
    ofModels(
        out,
        models,
        "sequences_running",
        "gauge",
        "Sequences that are computed.",
        m -> m.slots().running());
    ofModels(
        out,
        models,
        "queue_length",
        "gauge",
        "Requests that wait for their turn.",
        m -> m.slots().waiting());
    ofModels(
        out,
        models,
        "prompt_tokens_total",
        "counter",
        "Tokens that were read.",
        m -> m.metrics().promptTokens.sum());
    ofModels(
        out,
        models,
        "cached_prompt_tokens_total",
        "counter",
        "Those of them that the cache had.",
        m -> m.metrics().cachedTokens.sum());
    ofModels(
        out,
        models,
        "generated_tokens_total",
        "counter",
        "Tokens that were written.",
        m -> m.metrics().generatedTokens.sum());
    head(out, "gatun_queue_seconds", "histogram", "How long requests waited for their turn.");
    models.forEach(
        m -> m.metrics().queue.write(out, "gatun_queue_seconds", label("model", m.name())));
    head(
        out, "gatun_first_token_seconds", "histogram", "From a request's turn to its first token.");
    models.forEach(
        m ->
            m.metrics()
                .firstToken
                .write(out, "gatun_first_token_seconds", label("model", m.name())));
    machine(out);
    return out.toString();
  }

  private static void ofModels(
      StringBuilder out,
      Collection<ServedModel> models,
      String name,
      String type,
      String help,
      ToLongFunction<ServedModel> value) {
    head(out, "gatun_" + name, type, help);
    for (ServedModel model : models) {
      String labels = label("model", model.name());
      out.append(
          "gatun_%s{%s} %d\n"
              .formatted(name, labels.substring(0, labels.length() - 1), value.applyAsLong(model)));
    }
  }

  private static void machine(StringBuilder out) {
    Runtime runtime = Runtime.getRuntime();
    head(out, "jvm_heap_used_bytes", "gauge", "The Java heap in use.");
    out.append("jvm_heap_used_bytes %d\n".formatted(runtime.totalMemory() - runtime.freeMemory()));
    head(out, "jvm_direct_used_bytes", "gauge", "Memory of direct and mapped buffers.");
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      out.append(
          "jvm_direct_used_bytes{pool=\"%s\"} %d\n"
              .formatted(escaped(pool.getName()), pool.getMemoryUsed()));
    }
    head(out, "jvm_platform_threads", "gauge", "Threads of the system.");
    out.append(
        "jvm_platform_threads %d\n"
            .formatted(ManagementFactory.getThreadMXBean().getThreadCount()));
  }

  private static void head(StringBuilder out, String name, String type, String help) {
    out.append("# HELP %s %s\n# TYPE %s %s\n".formatted(name, help, name, type));
  }

  private static String label(String key, String value) {
    return "%s=\"%s\",".formatted(key, escaped(value));
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }
}
