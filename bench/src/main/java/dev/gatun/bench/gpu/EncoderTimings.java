package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A program that runs whole encoders: reads rows as lines, and answers each as {@link Answers}
 * says. A row with {@code write} puts the last hidden states of the packed tokens into a file of
 * floats, one with {@code compare} says how far they are from a file's; any other one is timed,
 * from ids in Java's memory to the end of the computation.
 */
public final class EncoderTimings implements AutoCloseable {
  private static final double LEAST_SECONDS = 0.1;

  private final String name;
  private final Device device;
  private final Path folder;
  // One at a time, so that the largest fits.
  private EncoderRow model;
  private String key;

  private EncoderTimings(String name, String device, Path folder) {
    this.name = name;
    this.device = Device.of(device);
    this.folder = folder;
  }

  /**
   * Answers until the input ends.
   *
   * @param arguments the contender's name, the device, as {@code cuda}, and the folder of the
   *     models, which are written when they are not there
   */
  public static void main(String[] arguments) throws IOException {
    try (EncoderTimings timings =
        new EncoderTimings(arguments[0], arguments[1], Path.of(arguments[2]))) {
      Answers.give(timings.name, timings.device.description(), timings::answer);
    }
  }

  private void answer(JsonNode row, Answers answers) throws IOException {
    if (!row.get("id").asText().equals(key)) {
      close();
      model = new EncoderRow(device, folder, row);
      key = row.get("id").asText();
    }
    answers.measure(name, answer -> measure(row, answer));
  }

  private void measure(JsonNode row, ObjectNode answer) throws IOException {
    if (row.has("write")) {
      float[] hidden = model.hidden();
      ByteBuffer bytes = ByteBuffer.allocate(4 * hidden.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(hidden);
      Files.write(Path.of(row.get("write").asText()), bytes.array());
    } else if (row.has("compare")) {
      byte[] bytes = Files.readAllBytes(Path.of(row.get("compare").asText()));
      float[] wanted = new float[bytes.length / 4];
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(wanted);
      answer.put("difference", EncoderRow.difference(model.hidden(), wanted));
    } else {
      answer.put("seconds", seconds());
    }
  }

  private double seconds() {
    long calls = 1;
    model.batch(calls);
    double seconds = model.batch(calls);
    while (seconds < LEAST_SECONDS && calls < 1 << 12) {
      calls *= 2;
      seconds = model.batch(calls);
    }
    return seconds / calls;
  }

  @Override
  public void close() {
    if (model != null) {
      model.close();
      model = null;
      key = null;
    }
  }
}
