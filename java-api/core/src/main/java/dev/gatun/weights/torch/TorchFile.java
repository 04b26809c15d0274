package dev.gatun.weights.torch;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.MappedFiles;
import dev.gatun.weights.Suggestions;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a file that {@code torch.save} wrote of a state dict, or {@code torch.jit.save} of
 * a module: a zip archive with a pickle of the names and a record a storage. Only tensors are read;
 * nothing that a pickle or TorchScript's code may ask for is run.
 *
 * <p>Of TorchScript these are the parameters by the names of their modules, without a {@code
 * model.} that all of them have from being wrapped, and without whole numbers, which are buffers.
 */
public final class TorchFile implements TensorFile {
  private static final Map<String, DType> TYPES =
      Map.of(
          "FloatStorage", DType.F32,
          "HalfStorage", DType.F16,
          "BFloat16Storage", DType.BF16,
          "DoubleStorage", DType.F64,
          "LongStorage", DType.I64,
          "IntStorage", DType.I32,
          "ShortStorage", DType.I16,
          "CharStorage", DType.I8,
          "ByteStorage", DType.U8,
          "BoolStorage", DType.BOOL);

  private static final String WRAPPED = "model.";
  private static final int MOST_DEPTH = 100;
  private static final int MOST_VALUES = 1_000_000;
  private static final int MOST_NAME = 1_000;

  private final MappedFiles files;
  private final String source;
  private final TorchArchive archive;
  private final Map<String, Pickle.TensorView> tensors = new LinkedHashMap<>();
  private int values;

  private TorchFile(MappedFiles files, Path path) throws IOException {
    this(files, files.map(path), path.toString());
  }

  private TorchFile(MappedFiles files, MemorySegment file, String source) {
    this.files = files;
    this.source = source;
    if (file.byteSize() < 4 || file.get(ValueLayout.JAVA_BYTE, 0) != 'P') {
      throw new WeightsException(
          source
              + ": no zip archive; files of PyTorch before 1.6 are not read, save the model again,"
              + " as safetensors (save_pretrained(..., safe_serialization=True))");
    }
    this.archive = new TorchArchive(file, source);
    if (archive.has("byteorder")) {
      byte[] order = archive.record("byteorder").toArray(ValueLayout.JAVA_BYTE);
      if (!new String(order, StandardCharsets.UTF_8).equals("little")) {
        throw new WeightsException(source + ": its numbers are not little-endian");
      }
    }
    Object root = Pickle.read(archive.record("data.pkl"), source);
    boolean isScript = root instanceof Pickle.Instance;
    collect("", root, 0);
    if (isScript) {
      tensors.values().removeIf(tensor -> tensor.storage().type().equals("LongStorage"));
      unwrap();
    }
    if (tensors.isEmpty()) {
      throw new WeightsException(
          source + ": it names no tensors, expected a state dict or a module of TorchScript");
    }
  }

  /**
   * Maps {@code path} and reads its names.
   *
   * @throws IOException if the file cannot be read
   * @throws WeightsException if it is damaged, or asks for more than tensors
   */
  public static TorchFile open(Path path) throws IOException {
    MappedFiles files = new MappedFiles();
    return MappedFiles.orClose(files, () -> new TorchFile(files, path));
  }

  /** The same of bytes that are there already. */
  static TorchFile of(MemorySegment bytes, String source) {
    MappedFiles files = new MappedFiles();
    try {
      return new TorchFile(files, bytes, source);
    } catch (RuntimeException | Error e) {
      files.close();
      throw e;
    }
  }

  private void collect(String name, Object value, int depth) {
    if (++values > MOST_VALUES || depth > MOST_DEPTH || name.length() > MOST_NAME) {
      throw new WeightsException(
          "%s: its pickle has more than %d values, or more than %d in each other"
              .formatted(source, MOST_VALUES, MOST_DEPTH));
    }
    if (value instanceof Pickle.TensorView view) {
      tensors.put(name, checked(name, view));
      return;
    }
    Map<?, ?> parts =
        switch (value) {
          case Pickle.Instance instance -> instance.state;
          case Map<?, ?> map -> map;
          case null, default -> Map.of();
        };
    for (Map.Entry<?, ?> part : parts.entrySet()) {
      collect(
          name.isEmpty() ? "" + part.getKey() : name + "." + part.getKey(),
          part.getValue(),
          depth + 1);
    }
  }

  private void unwrap() {
    while (!tensors.isEmpty() && tensors.keySet().stream().allMatch(n -> n.startsWith(WRAPPED))) {
      Map<String, Pickle.TensorView> inner = new LinkedHashMap<>();
      tensors.forEach((name, view) -> inner.put(name.substring(WRAPPED.length()), view));
      tensors.clear();
      tensors.putAll(inner);
    }
  }

  private Pickle.TensorView checked(String name, Pickle.TensorView view) {
    long[] shape = view.shape();
    long[] strides = view.strides();
    long count = 1;
    long last = view.offset();
    boolean fits = shape.length == strides.length && view.offset() >= 0;
    try {
      for (int axis = 0; fits && axis < shape.length; axis++) {
        fits = shape[axis] >= 0 && strides[axis] >= 0;
        count = Math.multiplyExact(count, shape[axis]);
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[axis] - 1), strides[axis]));
      }
    } catch (ArithmeticException e) {
      fits = false;
    }
    long there = view.storage().elements();
    if (!fits || count > there || count > 0 && last >= there) {
      throw new WeightsException(
          "%s: tensor %s: shape %s with strides %s from element %d on does not lie in a storage of %d elements"
              .formatted(
                  source,
                  name,
                  Arrays.toString(shape),
                  Arrays.toString(strides),
                  view.offset(),
                  there));
    }
    return view;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of("format", "pt");
  }

  @Override
  public Entry get(String name) {
    Pickle.TensorView view = tensors.get(name);
    if (view == null) {
      throw Suggestions.missing(source, name, names());
    }
    Pickle.Storage storage = view.storage();
    DType dtype = TYPES.get(storage.type());
    if (dtype == null) {
      throw new WeightsException(
          "%s: tensor %s: numbers of torch.%s are not supported; save the model as safetensors"
              .formatted(source, name, storage.type()));
    }
    MemorySegment data = archive.record("data/" + storage.key());
    long count = Arrays.stream(view.shape()).reduce(1, (a, b) -> a * b);
    long have = data.byteSize() / dtype.bytes();
    if (have < storage.elements()) {
      throw new WeightsException(
          "%s: tensor %s: record data/%s has %d bytes, expected %d elements of %s"
              .formatted(source, name, storage.key(), data.byteSize(), storage.elements(), dtype));
    }
    int bytes = dtype.bytes();
    MemorySegment elements;
    if (isDense(view)) {
      MemorySegment slice = data.asSlice(count == 0 ? 0 : view.offset() * bytes, count * bytes);
      elements = files.aligned(name, slice.asReadOnly(), dtype);
    } else {
      elements = files.copy(name, count * bytes, to -> gather(view, data, to, bytes));
    }
    return new Entry(name, dtype, view.shape(), elements, source);
  }

  private static boolean isDense(Pickle.TensorView view) {
    long next = 1;
    for (int axis = view.shape().length - 1; axis >= 0; axis--) {
      if (view.shape()[axis] != 1 && view.strides()[axis] != next) {
        return false;
      }
      next *= view.shape()[axis];
    }
    return true;
  }

  /** Copies a view's elements row-major. */
  private static void gather(
      Pickle.TensorView view, MemorySegment from, MemorySegment to, int bytes) {
    long[] shape = view.shape();
    long[] place = new long[shape.length];
    long at = view.offset();
    for (long i = 0; i < to.byteSize() / bytes; i++) {
      MemorySegment.copy(from, at * bytes, to, i * bytes, bytes);
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        at += view.strides()[axis];
        if (++place[axis] < shape[axis]) {
          break;
        }
        at -= shape[axis] * view.strides()[axis];
        place[axis] = 0;
      }
    }
  }

  @Override
  public void close() {
    files.close();
  }
}
