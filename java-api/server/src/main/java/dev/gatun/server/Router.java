package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Takes every request: looks whether it may come in, gives it to the endpoint of its path, and
 * makes an error of the protocol of whatever goes wrong.
 */
final class Router implements HttpHandler {
  private static final System.Logger LOG = System.getLogger("dev.gatun.server");
  private static final Duration POLL = Duration.ofMillis(10);
  private static final Duration STALL = Duration.ofMillis(500);
  private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

  private record Route(String method, boolean open, Endpoint endpoint) {}

  private final Map<String, Route> routes = new LinkedHashMap<>();
  private final ServerOptions options;
  private final Json json;
  private final Clock clock;
  private final ClientWatch watch;
  private final Metrics metrics;
  private final BodyRoom room = new BodyRoom();
  private final Set<Call> calls = ConcurrentHashMap.newKeySet();
  private volatile boolean closing;

  Router(ServerOptions options, Clock clock, ClientWatch watch, Metrics metrics) {
    this.options = options;
    this.clock = clock;
    this.watch = watch;
    this.metrics = metrics;
    clock.every(STALL, () -> calls.forEach(Call::endIfStalled));
    this.json = new Json(options.limits().jsonDepth(), options.limits().bodyBytes());
  }

  /**
   * Adds a path; one that ends with a slash takes those below it.
   *
   * @param open whether it needs no key
   */
  Router add(String method, String path, boolean open, Endpoint endpoint) {
    routes.put(path, new Route(method, open, endpoint));
    return this;
  }

  /** Takes no more requests. */
  void close() {
    closing = true;
  }

  boolean isClosing() {
    return closing;
  }

  /** Ends the requests that run. */
  void cut() {
    calls.forEach(call -> call.abort(closed()));
  }

  private static ApiException closed() {
    return ApiException.failed(503, "shutting_down", "the server is being shut down");
  }

  /** Waits until no request runs; false where that takes longer than a time. */
  boolean awaitEnds(Duration time) throws InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    while (!calls.isEmpty() && System.nanoTime() < end) {
      Thread.sleep(POLL);
    }
    return calls.isEmpty();
  }

  /**
   * Handles a request.
   *
   * @throws IOException where the answer did not come to its end, upon which the JDK's server
   *     forgets the connection; it would keep one that a handler closes
   */
  @Override
  public void handle(HttpExchange exchange) throws IOException {
    long start = System.nanoTime();
    String path = path(exchange);
    metrics.begin();
    Call call = new Call(exchange, options.limits(), json, clock, watch, room);
    calls.add(call);
    try {
      answer(call, path);
    } finally {
      call.close();
      metrics.end(path, call.status(), (System.nanoTime() - start) / 1e9);
      calls.remove(call);
    }
    if (!call.isComplete()) {
      throw new IOException("the answer did not come to its end");
    }
  }

  /** The path among those that are known, which is also what is counted. */
  private String path(HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    if (path == null) {
      return "other";
    }
    if (routes.containsKey(path)) {
      return path;
    }
    return routes.keySet().stream()
        .filter(known -> known.length() > 1 && known.endsWith("/") && path.startsWith(known))
        .findFirst()
        .orElse("other");
  }

  private void answer(Call call, String path) throws IOException {
    ApiException problem;
    try {
      route(call, path).handle(call);
      return;
    } catch (ApiException e) {
      problem = e;
    } catch (InterruptedException | CancellationException | IOException e) {
      problem = call.aborted();
      if (problem == null) {
        // Its client cannot be read, or written to.
        problem = Call.LEFT;
      }
    } catch (RuntimeException | Error e) {
      problem = call.aborted();
      if (problem == null) {
        LOG.log(System.Logger.Level.ERROR, path, e);
        problem =
            ApiException.failed(500, "internal_error", "the server failed: " + e.getMessage());
      }
    }
    if (problem != Call.LEFT) {
      // What woke this thread has done so: written to by one that is interrupted, a connection
      // closes.
      Thread.interrupted();
      tell(call, problem);
    }
  }

  private static void tell(Call call, ApiException problem) throws IOException {
    ObjectNode error = problem.toJson();
    if (call.isAnswered()) {
      call.tellInStream(error);
      return;
    }
    if (problem.status() == 503) {
      call.header("Retry-After", "1");
    }
    if (problem.status() == 504) {
      call.header("x-should-retry", "false");
    }
    if (problem.status() == 401) {
      call.header("WWW-Authenticate", "Bearer");
    }
    if (problem.status() == 413) {
      call.header("Connection", "close");
    }
    call.answer(problem.status(), error);
  }

  private Endpoint route(Call call, String path) {
    HttpExchange exchange = call.exchange();
    if (closing) {
      call.header("Connection", "close");
      throw closed();
    }
    requireHeaders(exchange.getRequestHeaders());
    requireSameOrigin(exchange.getRequestHeaders());
    Route route = routes.get(path);
    if (route == null) {
      throw ApiException.refused(
          404,
          null,
          "not_found",
          "there is nothing at this path; there is something at "
              + String.join(", ", routes.keySet()));
    }
    String method = exchange.getRequestMethod();
    if (!method.equals(route.method) && !(method.equals("HEAD") && route.method.equals("GET"))) {
      call.header("Allow", route.method);
      throw ApiException.refused(
          405, null, "method_not_allowed", "%s takes %s".formatted(path, route.method));
    }
    if (!route.open) {
      requireKey(exchange.getRequestHeaders());
    }
    return route.endpoint;
  }

  private void requireHeaders(Headers headers) {
    long size = 0;
    for (Map.Entry<String, List<String>> header : headers.entrySet()) {
      for (String value : header.getValue()) {
        size += header.getKey().length() + (value == null ? 0 : value.length());
      }
    }
    if (size > options.limits().headerBytes()) {
      throw ApiException.refused(
          431,
          null,
          "headers_too_large",
          "the headers have %d bytes, the server's limit is %d"
              .formatted(size, options.limits().headerBytes()));
    }
  }

  /**
   * Pages of other servers, opened in a browser of this machine, have no business here: neither by
   * their own name nor by one that leads here.
   */
  private void requireSameOrigin(Headers headers) {
    String host = headers.getFirst("Host");
    if (options.apiKeys().isEmpty() && !isLocal(host)) {
      throw ApiException.refused(
          403,
          null,
          "host_not_allowed",
          "the Host is to be localhost where no API key is set, so that no other page's scripts"
              + " reach it");
    }
    String origin = headers.getFirst("Origin");
    if (origin != null && !origin.equals("http://" + host) && !origin.equals("https://" + host)) {
      throw ApiException.refused(
          403, null, "origin_not_allowed", "scripts of pages of other servers are not served");
    }
  }

  private boolean isLocal(String host) {
    String name = host == null ? "" : host.replaceFirst(":[0-9]*$", "");
    return LOCAL.contains(name) || name.equals(options.host());
  }

  private void requireKey(Headers headers) {
    if (options.apiKeys().isEmpty()) {
      return;
    }
    String given = headers.getFirst("Authorization");
    if (given != null && given.regionMatches(true, 0, "Bearer ", 0, 7)) {
      byte[] key = given.substring(7).strip().getBytes(StandardCharsets.UTF_8);
      boolean known = false;
      for (String each : options.apiKeys()) {
        known |= MessageDigest.isEqual(key, each.getBytes(StandardCharsets.UTF_8));
      }
      if (known) {
        return;
      }
    }
    throw ApiException.refused(
        401,
        null,
        "invalid_api_key",
        given == null
            ? "an API key is needed, as the header Authorization: Bearer KEY"
            : "the API key is not one of this server's");
  }
}
