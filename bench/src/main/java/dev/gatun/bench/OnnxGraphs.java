package dev.gatun.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.bench.generation.RandomT5;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Writes a T5 as ONNX graphs: those that bench/make/t5_onnx.py made, and a file beside them with
 * the weights of the model's directory.
 */
final class OnnxGraphs {
  private static final String RESOURCE = "t5-onnx.zip";
  private static final String PLACES = "weights.json";

  private OnnxGraphs() {}

  /** The folder of the graphs beneath the model's directory, written on the first call. */
  static Path write(Path directory) throws IOException {
    Path folder = directory.resolve("onnx");
    Path weights = folder.resolve("weights.bin");
    Files.createDirectories(folder);
    JsonNode places = graphs(folder);
    if (!Files.exists(weights)) {
      Path part = Files.createTempFile(folder, "weights", ".part");
      weights(directory, places, part);
      Files.move(part, weights);
    }
    return folder;
  }

  /** Where the file of weights has each. */
  private static JsonNode graphs(Path folder) throws IOException {
    JsonNode places = null;
    try (InputStream resource = OnnxGraphs.class.getResourceAsStream(RESOURCE);
        ZipInputStream zip = new ZipInputStream(resource)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        byte[] bytes = zip.readAllBytes();
        if (entry.getName().equals(PLACES)) {
          places = new ObjectMapper().readTree(bytes);
        } else {
          Files.write(folder.resolve(entry.getName()), bytes);
        }
      }
    }
    return places;
  }

  /** Several weights of the checkpoint that are one of the graphs' lie one below the other. */
  private static void weights(Path directory, JsonNode places, Path file) throws IOException {
    try (TensorFile tensors = TensorFile.open(directory);
        FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (Map.Entry<String, JsonNode> place : places.properties()) {
        out.position(place.getValue().longValue());
        for (String name : RandomT5.names(place.getKey())) {
          ByteBuffer bytes = tensors.get(name).data().asByteBuffer();
          while (bytes.hasRemaining()) {
            out.write(bytes);
          }
        }
      }
    }
  }
}
