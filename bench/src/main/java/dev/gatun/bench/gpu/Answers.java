package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * How a contender speaks to the harness: a first line says that it is ready; then each line that it
 * reads, a row, is answered by a line {@code begin} and one of results for each thing that is
 * measured, at once, and a last line {@code done}. A row says what is skipped of it: what ended an
 * earlier process.
 */
final class Answers {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Answers a row. */
  interface Row {
    void answer(JsonNode row, Answers answers) throws IOException;
  }

  /** Measures one thing and puts what it found into its line. */
  interface Measurement {
    void into(ObjectNode answer) throws IOException;
  }

  private final Set<String> skipped = new HashSet<>();

  private Answers(JsonNode row) {
    row.path("skip").forEach(name -> skipped.add(name.asText()));
  }

  /** Answers rows until the input ends. */
  static void give(String name, String device, Row row) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    line(MAPPER.createObjectNode().put("ready", name).put("device", device));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode done = MAPPER.createObjectNode().put("done", true);
      try {
        JsonNode asked = MAPPER.readTree(line);
        row.answer(asked, new Answers(asked));
      } catch (RuntimeException | IOException | OutOfMemoryError e) {
        done.put("failed", e.toString());
      }
      line(done);
    }
  }

  /** Measures one thing; one that fails does not end the row. */
  void measure(String name, Measurement measurement) {
    if (skipped.contains(name)) {
      return;
    }
    line(MAPPER.createObjectNode().put("begin", name));
    ObjectNode answer = MAPPER.createObjectNode().put("name", name);
    try {
      measurement.into(answer);
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      answer.put("failed", e.toString());
    }
    line(answer);
  }

  private static void line(ObjectNode line) {
    System.out.println(line);
    System.out.flush();
  }
}
