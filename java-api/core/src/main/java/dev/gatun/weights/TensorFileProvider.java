package dev.gatun.weights;

import java.io.IOException;
import java.nio.file.Path;

/** Reads a format of weights files; found by {@link java.util.ServiceLoader}. */
public interface TensorFileProvider {
  /** {@return how the names of its files end, in lower case, such as {@code .onnx}} */
  String suffix();

  /**
   * Opens a file of the format.
   *
   * @param file of the format
   * @return the file, to be closed by the caller
   * @throws IOException if it cannot be read
   * @throws WeightsException if it is damaged
   */
  TensorFile open(Path file) throws IOException;
}
