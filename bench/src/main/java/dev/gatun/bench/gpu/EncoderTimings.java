package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A program that runs whole encoders through the library's own API: reads rows as lines, answers
 * each with a line. A row with {@code write} puts the last hidden states of the packed tokens into
 * a file of floats, one with {@code compare} says how far they are from a file's; any other one is
 * timed, from ids in Java's memory to the end of the computation.
 */
public final class EncoderTimings implements AutoCloseable {
  private static final double LEAST_SECONDS = 0.1;

  private final Device device;
  private final String name;
  private final Path folder;
  private final Map<String, EncoderModel> models = new HashMap<>();

  private EncoderTimings(String device, Path folder) {
    this.device = Device.of(device);
    this.name = device.equals("cpu") ? "gatun-cpu" : "gatun";
    this.folder = folder;
  }

  /**
   * Answers until the input ends.
   *
   * @param arguments the device, as {@code cuda}, and the folder of the models, which are written
   *     when they are not there
   */
  public static void main(String[] arguments) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (EncoderTimings timings = new EncoderTimings(arguments[0], Path.of(arguments[1]))) {
      System.out.println(
          mapper
              .createObjectNode()
              .put("ready", timings.name)
              .put("device", timings.device.description()));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        ObjectNode answer = mapper.createObjectNode();
        try {
          timings.answer(mapper.readTree(line), answer);
        } catch (RuntimeException | IOException | OutOfMemoryError e) {
          answer.put("error", e.toString());
        }
        System.out.println(answer);
        System.out.flush();
      }
    }
  }

  private void answer(JsonNode row, ObjectNode answer) throws IOException {
    EncoderModel model = model(row);
    long[][] ids = ids(row, model.vocabSize());
    if (row.has("write")) {
      float[] hidden = hidden(model, ids);
      ByteBuffer bytes = ByteBuffer.allocate(4 * hidden.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(hidden);
      Files.write(Path.of(row.get("write").asText()), bytes.array());
      answer.put("tokens", hidden.length / model.hiddenSize());
    } else if (row.has("compare")) {
      byte[] bytes = Files.readAllBytes(Path.of(row.get("compare").asText()));
      float[] wanted = new float[bytes.length / 4];
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(wanted);
      answer.put(name + "-difference", difference(hidden(model, ids), wanted));
    } else {
      answer.put(name, seconds(model, ids));
    }
  }

  private EncoderModel model(JsonNode row) throws IOException {
    String type = row.get("model").asText() + " " + row.get("dtype").asText();
    EncoderModel model = models.get(type);
    if (model == null) {
      // One at a time, so that the largest fits.
      close();
      Path directory = folder.resolve(row.get("model").asText());
      if (!Files.exists(directory.resolve("config.json"))) {
        RandomEncoder.write(row.get("sizes"), directory);
      }
      DType dtype = DType.valueOf(row.get("dtype").asText());
      model =
          dtype == DType.I8
              ? AutoModel.load(directory, device, Storage.INT8, Compute.INT8_PER_TOKEN)
              : AutoModel.load(directory, device, Storage.of(dtype), Compute.EXACT);
      models.put(type, model);
    }
    return model;
  }

  /** The same ids as torch_models.py's. */
  private static long[][] ids(JsonNode row, int vocabulary) {
    int length = row.get("length").asInt();
    boolean ragged = row.path("ragged").asBoolean();
    long[][] ids = new long[row.get("batch").asInt()][];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = new long[ragged ? 1 + (i + 1) * 37 % length : length];
      for (int j = 0; j < ids[i].length; j++) {
        ids[i][j] = (7919L * i + 104729L * j + (long) i * j) % vocabulary;
      }
    }
    return ids;
  }

  private static float[] hidden(EncoderModel model, long[][] ids) {
    try (EncoderModel.Encoded encoded = model.encode(ids, null)) {
      return encoded.hidden().toFloatArray();
    }
  }

  /** The norm of the difference over that of what is wanted; NaN is not lost. */
  private static double difference(float[] got, float[] wanted) {
    if (got.length != wanted.length) {
      throw new IllegalArgumentException(
          "%d numbers, the file has %d".formatted(got.length, wanted.length));
    }
    double apart = 0;
    double size = 0;
    for (int i = 0; i < got.length; i++) {
      apart += Math.pow((double) got[i] - wanted[i], 2);
      size += (double) wanted[i] * wanted[i];
    }
    return Math.sqrt(apart / size);
  }

  private static double seconds(EncoderModel model, long[][] ids) {
    long calls = 1;
    batch(model, ids, calls);
    double seconds = batch(model, ids, calls);
    while (seconds < LEAST_SECONDS && calls < 1 << 12) {
      calls *= 2;
      seconds = batch(model, ids, calls);
    }
    return seconds / calls;
  }

  /** The seconds of so many calls in a row, the last one's end included. */
  private static double batch(EncoderModel model, long[][] ids, long calls) {
    long start = System.nanoTime();
    for (long i = 0; i < calls; i++) {
      try (EncoderModel.Encoded encoded = model.encode(ids, null)) {
        if (i == calls - 1) {
          encoded.hidden().slice(0, 0, 1).toFloatArray();
        }
      }
    }
    return (System.nanoTime() - start) * 1e-9;
  }

  @Override
  public void close() {
    models.values().forEach(EncoderModel::close);
    models.clear();
  }
}
