package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Writes a BERT encoder of real shape with seeded random weights, as Hugging Face lays one out. */
final class RandomEncoder {
  private static final int POSITIONS = 512;
  private static final int PATTERN = 1 << 20;
  private static final double DEVIATION = 0.05;

  private final int hidden;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private RandomEncoder(JsonNode model) {
    hidden = model.get("hidden_size").asInt();
    int wide = model.get("intermediate_size").asInt();
    shapes.put("embeddings.word_embeddings.weight", shape(model.get("vocab_size").asInt(), hidden));
    shapes.put("embeddings.position_embeddings.weight", shape(POSITIONS, hidden));
    shapes.put("embeddings.token_type_embeddings.weight", shape(2, hidden));
    both("embeddings.LayerNorm", hidden);
    for (int i = 0; i < model.get("num_hidden_layers").asInt(); i++) {
      String layer = "encoder.layer." + i + ".";
      for (String name : new String[] {"query", "key", "value"}) {
        both(layer + "attention.self." + name, hidden, hidden);
      }
      both(layer + "attention.output.dense", hidden, hidden);
      both(layer + "attention.output.LayerNorm", hidden);
      both(layer + "intermediate.dense", wide, hidden);
      both(layer + "output.dense", hidden, wide);
      both(layer + "output.LayerNorm", hidden);
    }
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }

  private void both(String name, long... weight) {
    shapes.put(name + ".weight", weight);
    shapes.put(name + ".bias", shape(weight[0]));
  }

  /**
   * Writes {@code config.json} and {@code model.safetensors}, F32.
   *
   * @param model the sizes of a configuration, under its keys
   */
  static void write(JsonNode model, Path folder) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode config = mapper.createObjectNode();
    config.put("model_type", "bert").putArray("architectures").add("BertModel");
    config.setAll((ObjectNode) model);
    config.put("max_position_embeddings", POSITIONS).put("type_vocab_size", 2);
    config.put("hidden_act", "gelu").put("layer_norm_eps", 1e-12);
    Files.createDirectories(folder);
    mapper.writeValue(folder.resolve("config.json").toFile(), config);
    new RandomEncoder(model).write(folder.resolve("model.safetensors"));
  }

  private void write(Path file) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    long end = 0;
    for (var entry : shapes.entrySet()) {
      ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", "F32");
      long bytes = Float.BYTES;
      var sizes = tensor.putArray("shape");
      for (long size : entry.getValue()) {
        sizes.add(size);
        bytes *= size;
      }
      tensor.putArray("data_offsets").add(end).add(end + bytes);
      end += bytes;
    }
    Random random = new Random(20261125);
    ByteBuffer pattern = ByteBuffer.allocate(4 * PATTERN).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer scales = ByteBuffer.allocate(4 * PATTERN).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < PATTERN; i++) {
      float number = (float) (DEVIATION * random.nextGaussian());
      pattern.putFloat(number);
      scales.putFloat(1 + number);
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer start = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
    start.putLong(json.length).put(json).flip();
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      out.write(start);
      for (var entry : shapes.entrySet()) {
        boolean scale = entry.getKey().endsWith("LayerNorm.weight");
        long left = header.get(entry.getKey()).get("data_offsets").get(1).asLong();
        left -= header.get(entry.getKey()).get("data_offsets").get(0).asLong();
        // From a place of its own, so that no two tensors are equal.
        int from = 4 * random.nextInt(PATTERN);
        while (left > 0) {
          int bytes = (int) Math.min(left, 4L * PATTERN - from);
          out.write((scale ? scales : pattern).slice(from, bytes));
          left -= bytes;
          from = 0;
        }
      }
    }
  }
}
