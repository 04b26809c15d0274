package dev.gatun.onnx;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.MappedFiles;
import dev.gatun.weights.Suggestions;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The initializers of an ONNX model, under the names of the model's state dict. A linear weight
 * that the file keeps as [in, out] is shown as [out, in]; it is transposed when it is first asked
 * for.
 */
final class OnnxFile implements TensorFile {
  private final MappedFiles files;
  private final Path path;
  private final Map<String, MemorySegment> externals = new HashMap<>();
  private final OnnxReader reader;
  private final Map<String, OnnxNames.Named> tensors;

  private OnnxFile(MappedFiles files, Path path) throws IOException {
    this.files = files;
    this.path = path;
    this.reader = OnnxReader.read(files.map(path), path.toString(), this::external);
    OnnxKinds.require(reader, path.toString());
    this.tensors = Collections.unmodifiableMap(OnnxNames.resolve(reader));
    this.externals.clear();
  }

  /**
   * Maps {@code path} and reads the graph.
   *
   * @throws IOException if the file, or a file of external data, cannot be read
   * @throws WeightsException if the model is damaged
   */
  static OnnxFile open(Path path) throws IOException {
    MappedFiles files = new MappedFiles();
    return MappedFiles.orClose(files, () -> new OnnxFile(files, path));
  }

  private MemorySegment external(String tensor, Map<String, String> where) throws IOException {
    String location = where.getOrDefault("location", "");
    if (!MappedFiles.isPlainName(location)) {
      throw new WeightsException(
          "%s: initializer %s: external data in '%s', expected a file in the same directory"
              .formatted(path, tensor, location));
    }
    MemorySegment data = externals.get(location);
    if (data == null) {
      Path file = path.resolveSibling(location);
      if (!Files.exists(file)) {
        throw new WeightsException(
            "%s: initializer %s: external data file %s is missing".formatted(path, tensor, file));
      }
      data = files.map(file);
      externals.put(location, data);
    }
    long offset = Long.parseLong(where.getOrDefault("offset", "0"));
    long length = Long.parseLong(where.getOrDefault("length", "" + (data.byteSize() - offset)));
    if (offset < 0 || length < 0 || offset > data.byteSize() - length) {
      throw new WeightsException(
          "%s: initializer %s: external data at byte %d of length %d, but %s has %d bytes"
              .formatted(path, tensor, offset, length, location, data.byteSize()));
    }
    return data.asSlice(offset, length);
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(reader.metadata);
  }

  @Override
  public Entry get(String name) {
    OnnxNames.Named named = tensors.get(name);
    if (named == null) {
      throw Suggestions.missing(path.toString(), name, names());
    }
    OnnxTensor tensor = named.tensor();
    DType dtype = tensor.dtype();
    if (dtype == null) {
      throw new WeightsException(
          "%s: initializer %s: ONNX element type %d is not supported"
              .formatted(path, name, tensor.onnxType()));
    }
    long[] shape = tensor.shape();
    if (!named.transposed()) {
      MemorySegment data = files.aligned(name, tensor.data(), dtype);
      return new Entry(name, dtype, shape, data.asReadOnly(), path.toString());
    }
    long bytes = tensor.data().byteSize();
    MemorySegment data =
        files.copy(
            name,
            bytes,
            to -> Transpose.copy(tensor.data(), to, shape[0], shape[1], dtype.bytes()));
    return new Entry(name, dtype, new long[] {shape[1], shape[0]}, data, path.toString());
  }

  @Override
  public void close() {
    files.close();
  }
}
