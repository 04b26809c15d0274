package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Server-sent events, each with JSON in one line, as OpenAI's protocol has them. */
final class EventStream {
  private static final byte[] BEFORE = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] AFTER = "\n\n".getBytes(StandardCharsets.US_ASCII);

  private final OutputStream out;
  private final Runnable closed;
  private volatile long since;

  /**
   * No event yet.
   *
   * @param closed is told when all is out
   */
  EventStream(OutputStream out, Runnable closed) {
    this.out = out;
    this.closed = closed;
  }

  /** How long the client has not taken what is being sent. */
  Duration waits() {
    long start = since;
    return start == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - start);
  }

  void send(JsonNode data) throws IOException {
    send(Json.bytes(data));
  }

  /** Sends the last event and ends the answer. */
  void done() throws IOException {
    send("[DONE]".getBytes(StandardCharsets.US_ASCII));
    close();
  }

  /** Ends the answer. */
  void close() throws IOException {
    out.close();
    closed.run();
  }

  private void send(byte... data) throws IOException {
    byte[] event = new byte[BEFORE.length + data.length + AFTER.length];
    System.arraycopy(BEFORE, 0, event, 0, BEFORE.length);
    System.arraycopy(data, 0, event, BEFORE.length, data.length);
    System.arraycopy(AFTER, 0, event, BEFORE.length + data.length, AFTER.length);
    since = System.nanoTime();
    out.write(event);
    out.flush();
    since = 0;
  }
}
