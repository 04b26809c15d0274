package dev.gatun.weights;

import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Finds which format a path holds. */
final class WeightsFinder {
  private static final List<String> LOOKED_FOR =
      List.of("model.safetensors", "model.safetensors.index.json", "model.onnx", "onnx/model.onnx");

  private static final String PICKLED =
      " is a pickled file, and pickled files are not read because reading one can run code;"
          + " save the model as safetensors (save_pretrained(..., safe_serialization=True))";

  /** What reads ONNX, as {@code groupId:artifactId}. */
  private static final String ONNX = "dev.gatun:gatun-onnx";

  private WeightsFinder() {}

  static TensorFile open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      for (String name : LOOKED_FOR) {
        if (Files.exists(path.resolve(name))) {
          return openFile(path.resolve(name));
        }
      }
      Optional<Path> gguf = GgufFile.find(path);
      if (gguf.isPresent()) {
        return GgufFile.open(gguf.get());
      }
      throw new WeightsException(nothingIn(path));
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
    if (name.endsWith(".safetensors.index.json")) {
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
    if (isPickled(name)) {
      throw new WeightsException(file + PICKLED);
    }
    throw new WeightsException(
        file
            + ": expected a name that ends in .safetensors, .safetensors.index.json, .onnx or"
            + " .gguf");
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

  private static String nothingIn(Path directory) throws IOException {
    List<String> pickled = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .map(f -> f.getFileName().toString())
          .filter(f -> isPickled(f.toLowerCase(Locale.ROOT)))
          .sorted()
          .forEach(pickled::add);
    }
    String message =
        directory + ": no weights; looked for " + String.join(", ", LOOKED_FOR) + ", *.gguf";
    return pickled.isEmpty() ? message : message + "; " + pickled.getFirst() + PICKLED;
  }

  private static boolean isPickled(String name) {
    return name.endsWith(".bin")
        || name.endsWith(".pt")
        || name.endsWith(".pth")
        || name.endsWith(".ckpt")
        || name.endsWith(".pkl");
  }
}
