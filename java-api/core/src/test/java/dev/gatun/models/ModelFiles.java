package dev.gatun.models;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.weights.TensorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A model directory of the goldens, taken apart so that tests can spoil it. */
final class ModelFiles {
  static final Path GOLDENS = Path.of("../../test/goldens");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A tensor's dtype, axes and little-endian bytes. */
  record Stored(String dtype, long[] shape, byte[] data) {
    /** A table whose rows stand so many places further. */
    Stored moved(int shift) {
      int rows = (int) shape[0];
      int bytes = data.length / rows;
      byte[] other = new byte[data.length];
      for (int row = 0; row < rows; row++) {
        System.arraycopy(data, row * bytes, other, (row + shift) % rows * bytes, bytes);
      }
      return new Stored(dtype, shape, other);
    }
  }

  final ObjectNode config;
  final Map<String, Stored> tensors = new LinkedHashMap<>();

  private ModelFiles(ObjectNode config) {
    this.config = config;
  }

  /** Without a tensor yet. */
  static ModelFiles of(ObjectNode config) {
    return new ModelFiles(config);
  }

  static ModelFiles read(String golden) throws IOException {
    Path folder = GOLDENS.resolve(golden);
    ModelFiles files =
        new ModelFiles((ObjectNode) JSON.readTree(folder.resolve("config.json").toFile()));
    try (TensorFile file = TensorFile.open(folder)) {
      for (String name : file.names()) {
        TensorFile.Entry entry = file.get(name);
        byte[] data = entry.data().toArray(ValueLayout.JAVA_BYTE);
        files.tensors.put(name, new Stored(entry.dtype().name(), entry.shape(), data));
      }
    }
    return files;
  }

  /** Writes config.json and model.safetensors. */
  void write(Path folder) throws IOException {
    Files.write(folder.resolve("config.json"), JSON.writeValueAsBytes(config));
    Files.write(folder.resolve("model.safetensors"), safetensors());
  }

  byte[] safetensors() throws IOException {
    ObjectNode header = JSON.createObjectNode();
    long at = 0;
    for (var entry : tensors.entrySet()) {
      Stored tensor = entry.getValue();
      ObjectNode slot = header.putObject(entry.getKey()).put("dtype", tensor.dtype);
      var shape = slot.putArray("shape");
      for (long axis : tensor.shape) {
        shape.add(axis);
      }
      slot.putArray("data_offsets").add(at).add(at + tensor.data.length);
      at += tensor.data.length;
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
    out.writeBytes(json);
    tensors.values().forEach(tensor -> out.writeBytes(tensor.data));
    return out.toByteArray();
  }
}
