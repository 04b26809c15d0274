package dev.gatun.weights;

import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.torch.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Finds which format a path holds. */
final class WeightsFinder {
  private static final List<String> LOOKED_FOR =
      List.of("model.safetensors", "model.safetensors.index.json", "model.onnx", "onnx/model.onnx");

  /** Of PyTorch's files only tensors are read; what comes first is what its tools prefer. */
  private static final List<String> TORCH =
      List.of("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt");

  /** What reads ONNX, as {@code groupId:artifactId}. */
  private static final String ONNX = "dev.gatun:gatun-onnx";

  private WeightsFinder() {}

  static TensorFile open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      TensorFile.requireWhole(path);
      for (String name : LOOKED_FOR) {
        if (Files.exists(path.resolve(name))) {
          return openFile(path.resolve(name));
        }
      }
      Optional<Path> gguf = GgufFile.find(path);
      if (gguf.isPresent()) {
        return GgufFile.open(gguf.get());
      }
      for (String name : TORCH) {
        if (Files.exists(path.resolve(name))) {
          return openFile(path.resolve(name));
        }
      }
      return TorchFile.open(scriptIn(path));
    }
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "there is no such file or directory");
    }
    return openFile(path);
  }

  private static TensorFile openFile(Path file) throws IOException {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".safetensors")) {
      return SafetensorsFile.open(file);
    }
    if (name.endsWith(".safetensors.index.json") || name.endsWith(".bin.index.json")) {
      return ShardedSafetensorsFile.open(file);
    }
    if (name.endsWith(".onnx")) {
      ClassLoader loader = WeightsFinder.class.getClassLoader();
      return provided(file, ".onnx", ServiceLoader.load(TensorFileProvider.class, loader))
          .open(file);
    }
    if (name.endsWith(".gguf")) {
      return GgufFile.open(file);
    }
    if (name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".pth")) {
      return TorchFile.open(file);
    }
    throw new WeightsException(
        file
            + ": expected a name that ends in .safetensors, .safetensors.index.json, .onnx, .gguf,"
            + " .bin or .pt");
  }

  static TensorFileProvider provided(
      Path file, String suffix, Iterable<TensorFileProvider> providers) {
    for (TensorFileProvider provider : providers) {
      if (provider.suffix().equals(suffix)) {
        return provider;
      }
    }
    throw new WeightsException(
        "%s: nothing here reads ONNX: add the dependency %s".formatted(file, ONNX));
  }

  /** The one module of TorchScript of a directory. */
  private static Path scriptIn(Path directory) throws IOException {
    List<Path> scripts;
    try (Stream<Path> files = Files.list(directory)) {
      scripts = files.filter(file -> file.toString().endsWith(".pt")).sorted().toList();
    }
    if (scripts.size() == 1) {
      return scripts.getFirst();
    }
    if (scripts.isEmpty()) {
      throw new WeightsException(
          "%s: no weights; looked for %s, *.gguf, %s, *.pt"
              .formatted(directory, String.join(", ", LOOKED_FOR), String.join(", ", TORCH)));
    }
    throw new WeightsException(
        "%s: %d files that end in .pt, expected one, or model.pt"
            .formatted(directory, scripts.size()));
  }
}
