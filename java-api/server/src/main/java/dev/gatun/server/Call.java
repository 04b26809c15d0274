package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.Future;

/**
 * A request and its answer. It is handled on one thread; others may {@link #abort} it, when its
 * client has left, its time is over or the server closes.
 */
final class Call implements AutoCloseable {
  /** Why a call ends whose client is no longer there to read the answer. */
  static final ApiException LEFT = ApiException.failed(499, "client_left", "the client left");

  /** How long a thread that was asked to end may take before it is interrupted. */
  private static final Duration GRACE = Duration.ofSeconds(2);

  /** How much of a body that is too large is read to its end, in times of the limit. */
  private static final int READ_PAST = 16;

  private final HttpExchange exchange;
  private final ServerLimits limits;
  private final Json json;
  private final Clock clock;
  private final BodyRoom room;
  private final Thread thread = Thread.currentThread();
  private final Runnable unwatch;
  private final Future<?> deadline;
  private ApiException aborted;
  private Runnable hook;
  private boolean ended;
  private Runnable leaveRoom = () -> {};
  private boolean answered;
  private volatile EventStream events;
  private volatile boolean complete;
  private volatile int status = 499;

  Call(
      HttpExchange exchange,
      ServerLimits limits,
      Json json,
      Clock clock,
      ClientWatch watch,
      BodyRoom room) {
    this.exchange = exchange;
    this.limits = limits;
    this.json = json;
    this.clock = clock;
    this.room = room;
    this.unwatch =
        watch.watch(exchange.getLocalAddress(), exchange.getRemoteAddress(), () -> abort(LEFT));
    this.deadline = clock.after(limits.requestTime(), () -> abort(late(limits)));
  }

  private static ApiException late(ServerLimits limits) {
    return ApiException.failed(
        504,
        "request_timeout",
        "the request took longer than the server's limit of %s"
            .formatted(shown(limits.requestTime())));
  }

  /** A time for messages. */
  static String shown(Duration time) {
    return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
  }

  /** Ends it with an error, once, from any thread. */
  synchronized void abort(ApiException reason) {
    if (ended || aborted != null) {
      return;
    }
    aborted = reason;
    if (hook == null) {
      thread.interrupt();
    } else {
      hook.run();
      clock.after(GRACE, this::interrupt);
    }
  }

  private synchronized void interrupt() {
    if (!ended) {
      thread.interrupt();
    }
  }

  /** Ends it where its client has read nothing for too long of what was sent. */
  void endIfStalled() {
    EventStream sent = events;
    if (sent != null && sent.waits().compareTo(limits.bodyTime()) > 0) {
      abort(LEFT);
    }
  }

  /** Why it is to end; null where it goes on. */
  synchronized ApiException aborted() {
    return aborted;
  }

  /**
   * Has something else done than this thread's interruption when the call is to end.
   *
   * @throws ApiException where that was so already
   */
  synchronized void onAbort(Runnable ends) {
    if (aborted != null) {
      throw aborted;
    }
    hook = ends;
  }

  /** Fails where the call is to end. */
  synchronized void check() {
    if (aborted != null) {
      throw aborted;
    }
  }

  /** The parameters of the body. */
  Fields body() throws IOException, InterruptedException {
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    if (type == null || !type.split(";")[0].strip().equalsIgnoreCase("application/json")) {
      throw ApiException.refused(
          415, null, "unsupported_media_type", "the Content-Type is to be application/json");
    }
    return new Fields(json.read(bytes()));
  }

  private byte[] bytes() throws IOException, InterruptedException {
    int most = limits.bodyBytes();
    String told = exchange.getRequestHeaders().getFirst("Content-Length");
    long length = told == null ? most : Long.parseLong(told);
    if (length <= most) {
      leaveRoom = room.acquire(length, limits.queueTime());
    }
    Future<?> late = clock.after(limits.bodyTime(), this::endSlowBody);
    try {
      InputStream in = exchange.getRequestBody();
      if (length > most) {
        // Clients look for an answer when they have sent everything.
        discard(in, Math.min(length, (long) READ_PAST * most));
        throw tooLarge();
      }
      byte[] read = in.readNBytes(most);
      if (read.length == most && in.read() >= 0) {
        throw tooLarge();
      }
      return read;
    } finally {
      late.cancel(false);
    }
  }

  private static void discard(InputStream in, long most) throws IOException {
    byte[] some = new byte[8192];
    long left = most;
    for (int count = 0; left > 0 && count >= 0; left -= count) {
      count = in.read(some);
    }
  }

  private ApiException tooLarge() {
    return ApiException.refused(
        413,
        null,
        "body_too_large",
        "the body has more than the server's limit of %d bytes".formatted(limits.bodyBytes()));
  }

  /** Answers for a thread that reads, which nothing but the end of its connection would wake. */
  private void endSlowBody() {
    Thread.startVirtualThread(
        () -> {
          try {
            ApiException reason =
                ApiException.refused(
                    408,
                    null,
                    "body_timeout",
                    "the body did not come within the server's limit of %s"
                        .formatted(shown(limits.bodyTime())));
            synchronized (this) {
              if (ended || aborted != null) {
                return;
              }
              aborted = reason;
            }
            exchange.getResponseHeaders().set("Connection", "close");
            byte[] bytes = Json.bytes(reason.toJson());
            begin(408, "application/json", bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
          } catch (IOException e) {
            // The client is gone.
          } finally {
            interrupt();
          }
        });
  }

  private void begin(int code, String type, long length) throws IOException {
    synchronized (this) {
      answered = true;
    }
    status = code;
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange.sendResponseHeaders(code, length);
  }

  /** A header of the answer. */
  void header(String name, String value) {
    exchange.getResponseHeaders().set(name, value);
  }

  void answer(JsonNode body) throws IOException {
    answer(200, body);
  }

  void answer(int code, JsonNode body) throws IOException {
    answer(code, "application/json", Json.bytes(body));
  }

  void answer(int code, String type, byte... bytes) throws IOException {
    if (code == 200) {
      check();
    }
    boolean head = exchange.getRequestMethod().equals("HEAD");
    begin(code, type, head ? -1 : bytes.length);
    if (head) {
      complete = true;
      return;
    }
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
    complete = true;
  }

  /** Begins an answer of events. */
  EventStream events() throws IOException {
    check();
    exchange.getResponseHeaders().set("X-Accel-Buffering", "no");
    begin(200, "text/event-stream; charset=utf-8", 0);
    events = new EventStream(exchange.getResponseBody(), () -> complete = true);
    return events;
  }

  /** Tells an error where the answer has begun: as its last event. */
  void tellInStream(JsonNode error) throws IOException {
    if (events != null) {
      events.send(error);
      events.close();
    }
  }

  /** Whether the answer's status is out already. */
  synchronized boolean isAnswered() {
    return answered;
  }

  /** Whether the whole answer is out. */
  boolean isComplete() {
    return complete;
  }

  /** The answer's status; 499 where the client left before it. */
  int status() {
    return status;
  }

  HttpExchange exchange() {
    return exchange;
  }

  Clock clock() {
    return clock;
  }

  ServerLimits limits() {
    return limits;
  }

  /** Ends it: nothing aborts it from now on. */
  @Override
  public void close() {
    synchronized (this) {
      ended = true;
    }
    leaveRoom.run();
    unwatch.run();
    deadline.cancel(false);
  }
}
