package dev.gatun.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A golden of very small models, whose weights it has as whole numbers, beside what they give.
 *
 * @param file below the goldens
 * @param unit what the numbers are counted in
 */
record SmallModels(String file, float unit) {
  List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    cases().forEach(each -> names.add(each.path("name").textValue()));
    return names;
  }

  private JsonNode cases() throws IOException {
    return new ObjectMapper().readTree(ModelFiles.GOLDENS.resolve(file).toFile()).path("cases");
  }

  JsonNode named(String name) throws IOException {
    for (JsonNode each : cases()) {
      if (each.path("name").textValue().equals(name)) {
        return each;
      }
    }
    throw new AssertionError(name);
  }

  /** Writes the model of a case. */
  void write(JsonNode one, Path folder) throws IOException {
    ModelFiles files = ModelFiles.of((ObjectNode) one.path("config"));
    for (var each : one.path("tensors").properties()) {
      JsonNode values = each.getValue().path("values");
      ByteBuffer data = ByteBuffer.allocate(4 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
      values.forEach(value -> data.putFloat(value.intValue() * unit));
      files.tensors.put(
          each.getKey(),
          new ModelFiles.Stored("F32", longs(each.getValue().path("shape")), data.array()));
    }
    files.write(folder);
  }

  static long[] longs(JsonNode row) {
    return IntStream.range(0, row.size()).mapToLong(i -> row.get(i).longValue()).toArray();
  }
}
