package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Named tensors in a file or in a set of files. Safe for use by several threads; what {@link #get}
 * returned is valid until {@link #close}. The file must not be changed or cut while it is open,
 * since it is mapped.
 */
public interface TensorFile extends AutoCloseable {

  /** {@return the tensors' names, in the order of the file} */
  Set<String> names();

  /**
   * {@return a tensor, valid until {@link #close}}
   *
   * @param name of the tensor
   * @throws WeightsException if there is none (the message suggests names that are close), or if
   *     its element type is not one of {@link DType}
   * @throws IllegalStateException if the file is closed
   */
  Entry get(String name);

  /**
   * {@return a tensor as the weight [out_features, in_features] of a linear layer, where the file
   * has it in blocks, or in another order than the model; empty where {@link #get} is all there is
   * to it} Then that gives it too, as numbers in the model's order.
   *
   * @param name of the tensor
   * @throws WeightsException as {@link #get} does
   */
  default Optional<StoredWeight> stored(String name) {
    return Optional.empty();
  }

  /**
   * {@return what a tensor is, without a look at its elements}
   *
   * @param name of the tensor
   * @throws WeightsException if there is none, or if it is of a type that is not read
   */
  default Info info(String name) {
    Entry entry = get(name);
    return new Info(
        entry.dtype().toString(), entry.shape(), entry.elements(), entry.data().byteSize());
  }

  /**
   * {@return what the file says about itself, such as {@code format=pt}; empty if it says nothing}
   */
  Map<String, String> metadata();

  /** {@return what the model's settings are read from, for messages} */
  default String settings() {
    return "config.json";
  }

  /**
   * {@return what messages call a tensor, which need not be there: the file's own name for it too
   * where that is another one}
   *
   * @param name of the tensor
   */
  default String told(String name) {
    return name;
  }

  /**
   * Keeps what {@link #get} and {@link #stored} give accessible after {@link #close}, for weights
   * that are used where they lie in the file.
   *
   * @return gives it up; empty where a file of this kind cannot be kept
   */
  default Optional<AutoCloseable> keepOpen() {
    return Optional.empty();
  }

  /** Unmaps the file. Every {@link Entry#data()} becomes inaccessible. */
  @Override
  void close();

  /**
   * Opens a weights file, or the weights in a model directory: {@code model.safetensors}, else the
   * shards of {@code model.safetensors.index.json}, else {@code model.onnx} or {@code
   * onnx/model.onnx}, else the one GGUF file, whole or split, else PyTorch's {@code
   * pytorch_model.bin}, its shards, or a module of TorchScript ({@code .pt}). Of PyTorch's files
   * tensors are read, and nothing is run.
   *
   * @param fileOrDirectory a file, whose name says its format, or a model directory
   * @return the file, to be closed by the caller
   * @throws IOException if a file cannot be read
   * @throws WeightsException if no readable format is found, or if a file is damaged
   */
  static TensorFile open(Path fileOrDirectory) throws IOException {
    return WeightsFinder.open(fileOrDirectory);
  }

  /**
   * Requires a model's directory to have no adapter (LoRA and others, as peft saves them), which
   * loaders of transformers would apply.
   *
   * @param directory that may have one
   * @throws WeightsException if it does
   */
  static void requireWhole(Path directory) {
    Path adapter = directory.resolve("adapter_config.json");
    if (Files.exists(adapter)) {
      throw new WeightsException(
          adapter
              + ": an adapter changes the weights of another model, which is not done here;"
              + " expected a whole model, as merge_and_unload of peft makes it: save that, without"
              + " this file");
    }
  }

  /**
   * {@return the same file, of which a listener is told what is read; closing it closes this one}
   *
   * @param listener null for none; the file itself then
   */
  default TensorFile watchedBy(LoadListener listener) {
    return listener == null ? this : new WatchedFile(this, listener);
  }

  /**
   * What a tensor is.
   *
   * @param type of its elements, by the file's name for it
   * @param shape its axes; empty for a scalar
   * @param elements the product of the axes
   * @param bytes that it takes in the file
   */
  record Info(String type, long[] shape, long elements, long bytes) {}

  /**
   * One tensor.
   *
   * @param name its name
   * @param dtype its element type
   * @param shape its axes; empty for a scalar
   * @param data its elements, row-major and little-endian, aligned to the element size, read-only;
   *     {@code elements() * dtype.bytes()} bytes, off-heap
   * @param source the file that it comes from
   */
  record Entry(String name, DType dtype, long[] shape, MemorySegment data, String source) {

    /**
     * Checks that {@code data} is as long as {@code shape} and {@code dtype} say.
     *
     * @throws IllegalArgumentException if it is not
     */
    public Entry {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(dtype, "dtype");
      Objects.requireNonNull(source, "source");
      shape = shape.clone();
      long bytes = Shapes.bytes(shape, 8L * dtype.bytes());
      if (bytes != data.byteSize()) {
        throw new IllegalArgumentException(
            "tensor %s: shape %s of %s takes %d bytes but there are %d"
                .formatted(name, Arrays.toString(shape), dtype, bytes, data.byteSize()));
      }
    }

    /** {@return the axes; empty for a scalar} */
    @Override
    public long[] shape() {
      return shape.clone();
    }

    /** {@return the number of elements: the product of the axes} */
    public long elements() {
      return data.byteSize() / dtype.bytes();
    }

    @Override
    public String toString() {
      return "%s %s%s from %s".formatted(name, dtype, Arrays.toString(shape), source);
    }
  }
}
