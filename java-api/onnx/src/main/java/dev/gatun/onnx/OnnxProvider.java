package dev.gatun.onnx;

import dev.gatun.weights.TensorFile;
import dev.gatun.weights.TensorFileProvider;
import java.io.IOException;
import java.nio.file.Path;

/** Offers files called {@code .onnx}. */
public final class OnnxProvider implements TensorFileProvider {
  /** For the service loader. */
  public OnnxProvider() {}

  @Override
  public String suffix() {
    return ".onnx";
  }

  @Override
  public TensorFile open(Path file) throws IOException {
    return OnnxFile.open(file);
  }
}
