package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A safetensors file, mapped. Tensors that do not start at a multiple of their element size are
 * copied once.
 */
public final class SafetensorsFile implements TensorFile {
  private final MappedFiles files;
  private final MemorySegment file;
  private final SafetensorsHeader header;
  private final String source;

  private SafetensorsFile(MappedFiles files, Path path) throws IOException {
    this.files = files;
    this.source = path.toString();
    this.file = files.map(path);
    this.header = SafetensorsHeader.parse(file, source);
  }

  /**
   * Maps a file and checks its header.
   *
   * @param path of the file
   * @return the file, to be closed by the caller
   * @throws IOException if the file cannot be read
   * @throws WeightsException if the header is damaged
   */
  public static SafetensorsFile open(Path path) throws IOException {
    MappedFiles files = new MappedFiles();
    return MappedFiles.orClose(files, () -> new SafetensorsFile(files, path));
  }

  @Override
  public Set<String> names() {
    return header.slots().keySet();
  }

  @Override
  public Map<String, String> metadata() {
    return header.metadata();
  }

  @Override
  public Entry get(String name) {
    SafetensorsHeader.Slot slot = header.slots().get(name);
    if (slot == null) {
      throw Suggestions.missing(source, name, names());
    }
    DType dtype = dtype(name, slot.dtype());
    MemorySegment data = file.asSlice(slot.begin(), slot.end() - slot.begin());
    return new Entry(name, dtype, slot.shape(), files.aligned(name, data, dtype), source);
  }

  private DType dtype(String name, String dtype) {
    for (DType known : DType.values()) {
      if (known.name().equals(dtype)) {
        return known;
      }
    }
    throw new WeightsException(
        "%s: tensor %s: dtype %s is not supported; convert it to one of %s"
            .formatted(source, name, dtype, java.util.Arrays.toString(DType.values())));
  }

  @Override
  public Optional<AutoCloseable> keepOpen() {
    return Optional.of(files.keep());
  }

  @Override
  public void close() {
    files.close();
  }
}
