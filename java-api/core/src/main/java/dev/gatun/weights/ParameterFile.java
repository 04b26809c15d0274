package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes parameters to safetensors files, as F32 under their names. */
public final class ParameterFile {
  private ParameterFile() {}

  /**
   * Writes a new file.
   *
   * @param file that is not there yet
   * @param parameters in the order of the file, as F32
   * @param constants what a model has beside its parameters, behind them
   * @throws IOException if there is such a file already, or it cannot be written
   */
  public static void write(
      Path file, List<Parameter> parameters, List<ParameterLoader.Constant> constants)
      throws IOException {
    write(file, parameters, constants, Map.of());
  }

  /**
   * The same with more that the file says about itself.
   *
   * @param file that is not there yet
   * @param parameters in the order of the file, as F32
   * @param constants what a model has beside its parameters, behind them
   * @param metadata beside {@code format}
   * @throws IOException if there is such a file already, or it cannot be written
   */
  public static void write(
      Path file,
      List<Parameter> parameters,
      List<ParameterLoader.Constant> constants,
      Map<String, String> metadata)
      throws IOException {
    try (Arena arena = Arena.ofShared()) {
      List<TensorFile.Entry> entries = new ArrayList<>();
      for (Parameter parameter : parameters) {
        Tensor tensor = parameter.tensor();
        long bytes = tensor.count() * Float.BYTES;
        MemorySegment data = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
        tensor.read(data);
        entries.add(entry(file, parameter.name(), tensor.shape(), data));
      }
      for (ParameterLoader.Constant constant : constants) {
        MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, constant.elements());
        entries.add(entry(file, constant.name(), constant.shape(), data));
      }
      Map<String, String> said = new TreeMap<>(metadata);
      said.put("format", "pt");
      SafetensorsWriter.write(file, entries, said);
    }
  }

  private static TensorFile.Entry entry(Path file, String name, long[] shape, MemorySegment data) {
    return new TensorFile.Entry(name, DType.F32, shape, data, file.toString());
  }
}
