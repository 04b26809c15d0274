package dev.gatun.weights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.weights.torch.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Safetensors shards under an index ({@code model.safetensors.index.json}), or PyTorch's ({@code
 * pytorch_model.bin.index.json}). The index decides: a tensor that it does not name is not shown.
 */
public final class ShardedSafetensorsFile implements TensorFile {
  private final String source;
  private final boolean isTorch;
  private final Map<String, TensorFile> shards = new LinkedHashMap<>();
  private final Map<String, TensorFile> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private ShardedSafetensorsFile(String source) {
    this.source = source;
    this.isTorch = source.endsWith(".bin.index.json");
  }

  /**
   * Opens every shard that the index names.
   *
   * @param index the file {@code ….index.json}, beside its shards
   * @return the shards as one file, to be closed by the caller
   * @throws IOException if a file cannot be read
   * @throws WeightsException if the index is damaged, names a missing shard or a file elsewhere, or
   *     names a tensor that its shard lacks
   */
  public static ShardedSafetensorsFile open(Path index) throws IOException {
    ShardedSafetensorsFile file = new ShardedSafetensorsFile(index.toString());
    boolean done = false;
    try {
      file.read(index);
      done = true;
      return file;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  private void read(Path index) throws IOException {
    JsonNode root = TextFile.uniqueJson(index, WeightsException::new);
    JsonNode map = root.path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new WeightsException(
          source + ": weight_map must be an object of tensor names and shard files");
    }
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      add(index, entry.getKey(), entry.getValue());
    }
    for (TensorFile shard : shards.values()) {
      metadata.putAll(shard.metadata());
    }
    for (Map.Entry<String, JsonNode> entry : root.path("metadata").properties()) {
      metadata.put(entry.getKey(), entry.getValue().asText());
    }
  }

  private void add(Path index, String tensor, JsonNode value) throws IOException {
    String name = value.isTextual() ? value.textValue() : "";
    if (!MappedFiles.isPlainName(name)) {
      throw new WeightsException(
          "%s: tensor %s: the shard is %s, expected the name of a file in the same directory"
              .formatted(source, tensor, value));
    }
    TensorFile shard = shards.get(name);
    if (shard == null) {
      Path path = index.resolveSibling(name);
      if (!Files.exists(path)) {
        throw new WeightsException(
            "%s: tensor %s is in shard %s, which is missing".formatted(source, tensor, path));
      }
      shard = isTorch ? TorchFile.open(path) : SafetensorsFile.open(path);
      shards.put(name, shard);
    }
    if (!shard.names().contains(tensor)) {
      throw new WeightsException(
          "%s: tensor %s is not in shard %s as the index says".formatted(source, tensor, name));
    }
    tensors.put(tensor, shard);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  @Override
  public Entry get(String name) {
    TensorFile shard = tensors.get(name);
    if (shard == null) {
      throw Suggestions.missing(source, name, names());
    }
    return shard.get(name);
  }

  @Override
  public Optional<AutoCloseable> keepOpen() {
    if (isTorch) {
      return Optional.empty();
    }
    List<AutoCloseable> kept =
        shards.values().stream().flatMap(shard -> shard.keepOpen().stream()).toList();
    return Optional.of(
        () -> {
          for (AutoCloseable shard : kept) {
            shard.close();
          }
        });
  }

  @Override
  public void close() {
    shards.values().forEach(TensorFile::close);
  }
}
