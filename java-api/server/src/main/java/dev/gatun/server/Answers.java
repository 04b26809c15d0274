package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.FinishReason;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.HexFormat;

/** What the answers of all that writes have in common. */
final class Answers {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Answers() {}

  /** The head of an answer, or of each of its events. */
  static ObjectNode head(String id, String object, String model, long created) {
    return Json.object()
        .put("id", id)
        .put("object", object)
        .put("created", created)
        .put("model", model);
  }

  /** An event of a choice. */
  static ObjectNode event(ObjectNode head, ObjectNode choice) {
    ObjectNode event = head.deepCopy();
    event.putArray("choices").add(choice);
    return event;
  }

  /**
   * Ends a stream.
   *
   * @param generation whose counts the last event has; null for no such event
   */
  static void end(EventStream events, ObjectNode head, Generation generation) throws IOException {
    if (generation != null) {
      ObjectNode last = head.deepCopy();
      last.putArray("choices");
      events.send(withCounts(last, generation));
    }
    events.done();
  }

  /** An answer with the numbers of its tokens and its times. */
  static ObjectNode withCounts(ObjectNode answer, Generation generation) {
    answer.set("usage", generation.usage());
    answer.set("timings", generation.timings());
    return answer;
  }

  /** A name that no other answer has. */
  static String id(String prefix) {
    byte[] bytes = new byte[12];
    RANDOM.nextBytes(bytes);
    return prefix + HexFormat.of().formatHex(bytes);
  }

  static long now() {
    return System.currentTimeMillis() / 1000;
  }

  static String finish(FinishReason reason) {
    return switch (reason) {
      case END_OF_TEXT, STOP_STRING -> "stop";
      case LENGTH, TIME, CANCELLED -> "length";
    };
  }

  /** Whether the last event of a stream is to tell the usage. */
  static boolean includeUsage(Fields fields, boolean stream) {
    Fields options = fields.object("stream_options").orElse(null);
    if (options == null) {
      return false;
    }
    if (!stream) {
      throw ApiException.wrong("stream_options", "it needs stream: true");
    }
    boolean wanted = options.flag("include_usage", false);
    options.harmless("include_obfuscation");
    options.finish();
    return wanted;
  }
}
