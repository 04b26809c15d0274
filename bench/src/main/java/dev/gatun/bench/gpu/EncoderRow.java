package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A whole encoder with a batch of ids, through the library's own API. */
final class EncoderRow implements AutoCloseable {
  private final EncoderModel model;
  private final long[][] ids;

  /**
   * @param folder of the models; one that is not there is written
   */
  EncoderRow(Device device, Path folder, JsonNode row) throws IOException {
    Path directory = folder.resolve(row.get("model").asText());
    if (!Files.exists(directory.resolve("config.json"))) {
      RandomEncoder.write(row.get("sizes"), directory);
    }
    WeightType weights = WeightType.of(DType.valueOf(row.get("dtype").asText()));
    model = AutoModel.load(directory, device, weights);
    ids = ids(row, model.vocabSize());
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

  /** The last hidden states of the packed tokens. */
  float[] hidden() {
    try (EncoderModel.Encoded encoded = model.encode(ids, null)) {
      return encoded.hidden().toFloatArray();
    }
  }

  /** The norm of the difference over that of what is wanted; NaN is not lost. */
  static double difference(float[] got, float[] wanted) {
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

  /** The seconds of so many calls in a row, the last one's end included. */
  double batch(long calls) {
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
    model.close();
  }
}
