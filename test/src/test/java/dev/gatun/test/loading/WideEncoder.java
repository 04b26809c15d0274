package dev.gatun.test.loading;

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

/** A BERT of any size with random weights in BF16, written without being held in memory. */
record WideEncoder(int vocabulary, int hidden, int intermediate, int layers) {
  private static final int BLOCK = 1 << 22;

  /** Parameters of the linear layers, whose weights are packed. */
  long linearParameters() {
    return (long) layers * (4L * hidden * hidden + 2L * hidden * intermediate);
  }

  /** Writes config.json and model.safetensors; gives the bytes of the latter. */
  long write(Path folder) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
         "hidden_act": "gelu", "vocab_size": %d, "max_position_embeddings": 512,
         "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}
        """
            .formatted(hidden, layers, hidden / 64, intermediate, vocabulary));
    Map<String, long[]> tensors = tensors();
    StringBuilder header = new StringBuilder("{");
    long at = 0;
    for (var tensor : tensors.entrySet()) {
      long[] shape = tensor.getValue();
      long end = at + 2 * shape[0] * (shape.length > 1 ? shape[1] : 1);
      header
          .append(at == 0 ? "" : ",")
          .append(
              "\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                  .formatted(tensor.getKey(), java.util.Arrays.toString(shape), at, end));
      at = end;
    }
    header.append('}');
    while (header.length() % 8 != 0) {
      header.append(' ');
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    try (FileChannel out =
        FileChannel.open(
            folder.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      ByteBuffer begin =
          ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length);
      out.write(begin.put(json).flip());
      ByteBuffer block = block();
      for (long left = at; left > 0; left -= block.limit()) {
        block.clear().limit((int) Math.min(BLOCK, left));
        while (block.hasRemaining()) {
          out.write(block);
        }
      }
    }
    return 8 + json.length + at;
  }

  private Map<String, long[]> tensors() {
    Map<String, long[]> all = new LinkedHashMap<>();
    all.put("embeddings.word_embeddings.weight", new long[] {vocabulary, hidden});
    all.put("embeddings.position_embeddings.weight", new long[] {512, hidden});
    all.put("embeddings.token_type_embeddings.weight", new long[] {2, hidden});
    norm(all, "embeddings.LayerNorm");
    for (int i = 0; i < layers; i++) {
      String layer = "encoder.layer." + i + ".";
      linear(all, layer + "attention.self.query", hidden, hidden);
      linear(all, layer + "attention.self.key", hidden, hidden);
      linear(all, layer + "attention.self.value", hidden, hidden);
      linear(all, layer + "attention.output.dense", hidden, hidden);
      norm(all, layer + "attention.output.LayerNorm");
      linear(all, layer + "intermediate.dense", intermediate, hidden);
      linear(all, layer + "output.dense", hidden, intermediate);
      norm(all, layer + "output.LayerNorm");
    }
    return all;
  }

  private static void linear(Map<String, long[]> all, String name, long out, long in) {
    all.put(name + ".weight", new long[] {out, in});
    all.put(name + ".bias", new long[] {out});
  }

  private void norm(Map<String, long[]> all, String name) {
    all.put(name + ".weight", new long[] {hidden});
    all.put(name + ".bias", new long[] {hidden});
  }

  private static ByteBuffer block() {
    Random random = new Random(1);
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < BLOCK; i += 2) {
      float x = (float) (random.nextGaussian() * 0.03);
      block.putShort(i, (short) (Float.floatToRawIntBits(x) >>> 16));
    }
    return block;
  }
}
