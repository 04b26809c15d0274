package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves models by OpenAI's protocol, and a page to try them at {@code /}:
 *
 * <pre>try (GatunServer server = GatunServer.start(ServerOptions.DEFAULT, models)) {
 *   System.out.println(server.uri());
 *   server.awaitClose();
 * }</pre>
 *
 * It is the JDK's HTTP server, each request on a virtual thread. Of the properties that this server
 * has for the whole Java machine, those that nobody set are set when the first server starts: a
 * request's head and body have to come in a time, small answers go out at once.
 */
public final class GatunServer implements AutoCloseable {
  private static final int BACKLOG = 1024;
  private static final int MOST_CONNECTIONS = 4096;

  /** How long answers that are cut may take to say so. */
  private static final Duration CUT = Duration.ofSeconds(3);

  private final HttpServer http;
  private final ExecutorService executor;
  private final Router router;
  private final Clock clock;
  private final Models models;
  private final ServerOptions options;
  private boolean closed;

  private GatunServer(
      HttpServer http,
      ExecutorService executor,
      Router router,
      Clock clock,
      Models models,
      ServerOptions options) {
    this.http = http;
    this.executor = executor;
    this.router = router;
    this.clock = clock;
    this.models = models;
    this.options = options;
  }

  /**
   * Starts serving.
   *
   * @param options where, and to whom
   * @param models at least one, with names that differ; closed with the server
   * @return the server, which listens
   * @throws IOException where the address is in use or cannot be bound
   * @throws IllegalArgumentException where others than this machine could reach it and no key is
   *     set
   */
  public static GatunServer start(ServerOptions options, List<ServedModel> models)
      throws IOException {
    Models named = new Models(models);
    InetSocketAddress address = new InetSocketAddress(options.host(), options.port());
    if (address.isUnresolved()) {
      throw new IOException("the host %s is not known".formatted(options.host()));
    }
    if (options.apiKeys().isEmpty() && !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "%s can be reached from other machines: set an API key, or serve on 127.0.0.1"
              .formatted(options.host()));
    }
    setProperties(options.limits());
    HttpServer http;
    try {
      http = HttpServer.create(address, BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "%s:%d: %s".formatted(options.host(), options.port(), e.getMessage()), e);
    }
    Clock clock = new Clock();
    Metrics metrics = new Metrics();
    ClientWatch watch = ClientWatch.start(clock, http.getAddress().getPort());
    Router router = new Router(options, clock, watch, metrics);
    addEndpoints(router, named, metrics);
    ExecutorService executor =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("gatun-server-", 0).factory());
    http.createContext("/", router);
    http.setExecutor(executor);
    http.start();
    return new GatunServer(http, executor, router, clock, named, options);
  }

  /** What the JDK's server reads of the system's properties, once. */
  private static void setProperties(ServerLimits limits) {
    Map.of(
            "sun.net.httpserver.nodelay", "true",
            "sun.net.httpserver.maxReqTime", String.valueOf(limits.bodyTime().toSeconds() + 10),
            "jdk.httpserver.maxConnections", String.valueOf(MOST_CONNECTIONS))
        .forEach(
            (name, value) -> {
              if (System.getProperty(name) == null) {
                System.setProperty(name, value);
              }
            });
  }

  private static void addEndpoints(Router router, Models models, Metrics metrics) {
    router
        .add("POST", "/v1/chat/completions", false, new ChatEndpoint(models))
        .add("POST", "/v1/completions", false, new CompletionsEndpoint(models))
        .add("POST", "/v1/embeddings", false, new EmbeddingsEndpoint(models))
        .add("POST", "/v1/rerank", false, new RerankEndpoint(models))
        .add("GET", "/v1/models", false, call -> call.answer(models.list()))
        .add(
            "GET",
            "/v1/models/",
            false,
            call -> call.answer(Models.describe(models.named(last(call)))))
        .add("POST", "/tokenize", false, new TokenizeEndpoint(models))
        .add("GET", "/health", true, call -> call.answer(health()))
        .add(
            "GET",
            "/metrics",
            false,
            call ->
                call.answer(
                    200,
                    "text/plain; version=0.0.4; charset=utf-8",
                    metrics.text(models.all()).getBytes(StandardCharsets.UTF_8)))
        .add("GET", "/", true, GatunServer::page);
  }

  private static String last(Call call) {
    return call.exchange().getRequestURI().getPath().substring("/v1/models/".length());
  }

  private static ObjectNode health() {
    return Json.object().put("status", "ok");
  }

  private static void page(Call call) throws IOException {
    byte[] page;
    try (InputStream in = GatunServer.class.getResourceAsStream("page.html")) {
      page = in.readAllBytes();
    }
    call.header("Content-Security-Policy", Page.policy(page));
    call.header("Referrer-Policy", "no-referrer");
    call.header("X-Frame-Options", "DENY");
    call.answer(200, "text/html; charset=utf-8", page);
  }

  /**
   * Where it listens.
   *
   * @return the address and port
   */
  public InetSocketAddress address() {
    return http.getAddress();
  }

  /**
   * Where a browser finds it.
   *
   * @return the page's address
   */
  public URI uri() {
    String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
    return URI.create("http://%s:%d/".formatted(host, address().getPort()));
  }

  /**
   * Waits until it is closed by another thread.
   *
   * @throws InterruptedException where this thread is interrupted before that
   */
  public synchronized void awaitClose() throws InterruptedException {
    while (!closed) {
      wait();
    }
  }

  /**
   * Closes it: requests that come are refused from now on, those that run may end in {@link
   * ServerLimits#shutdownTime} and are ended then, and the models are closed.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (router.isClosing()) {
        return;
      }
      router.close();
    }
    boolean interrupted = false;
    try {
      if (!router.awaitEnds(options.limits().shutdownTime())) {
        router.cut();
        router.awaitEnds(CUT);
      }
    } catch (InterruptedException e) {
      router.cut();
      interrupted = true;
    }
    http.stop(0);
    executor.shutdownNow();
    models.close();
    clock.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      closed = true;
      notifyAll();
    }
  }
}
