package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A model of which one tensor, whichever it is, has numbers of another type, is refused by that
 * tensor's name, and what was loaded before it is given back.
 */
final class RefusedTensorsTest {
  @TempDir private Path folder;

  /** The goldens, in the order of their names. */
  private static List<String> goldens() throws IOException {
    try (Stream<Path> files = Files.walk(ModelFiles.GOLDENS, 3)) {
      return files
          .filter(file -> file.endsWith("model.safetensors"))
          .map(file -> ModelFiles.GOLDENS.relativize(file.getParent()).toString())
          .filter(name -> Files.exists(ModelFiles.GOLDENS.resolve(name).resolve("config.json")))
          // The encoder alone of an encoder-decoder, and a decoder that is read as an encoder.
          .filter(name -> !name.matches(".*/sentence-(t5|gemma3)"))
          .sorted()
          .toList();
    }
  }

  /** One of each family and kind. */
  static List<String> families() throws IOException {
    Set<String> seen = new HashSet<>();
    List<String> some = new ArrayList<>();
    for (String golden : goldens()) {
      if (seen.add(Config.read(ModelFiles.GOLDENS.resolve(golden)).text("model_type", ""))) {
        some.add(golden);
      }
    }
    return some;
  }

  @ParameterizedTest
  @MethodSource("families")
  void leaves_nothing(String golden) throws IOException {
    run(golden, Storage.F32);
  }

  @ParameterizedTest
  @MethodSource("goldens")
  @Tag("full")
  void leaves_nothing_of_any_golden_in_int8(String golden) throws IOException {
    run(golden, Storage.INT8);
  }

  private void run(String golden, Storage storage) throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    files.write(folder);
    load(storage);
    int refused = 0;
    for (String name : List.copyOf(files.tensors.keySet())) {
      ModelFiles.Stored right = files.tensors.get(name);
      String other =
          right.dtype().equals("I32") ? "F32" : right.data().length % 4 == 0 ? "I32" : "I8";
      long[] shape = {right.data().length / (other.equals("I8") ? 1 : 4)};
      files.tensors.put(name, new ModelFiles.Stored(other, shape, right.data()));
      // A new file each time: one that is mapped must not be cut.
      Files.delete(folder.resolve("model.safetensors"));
      files.write(folder);
      long before = Device.cpu().memory().allocatedBytes();
      try {
        load(storage);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().contains(name), name + ": " + e.getMessage());
        refused++;
      }
      assertEquals(before, Device.cpu().memory().allocatedBytes(), golden + ": " + name);
      files.tensors.put(name, right);
    }
    assertTrue(2 * refused > files.tensors.size(), refused + " of " + files.tensors.size());
  }

  private void load(Storage storage) throws IOException {
    WeightTypes types = WeightTypes.of(storage);
    String kind = AutoModel.kind(Config.read(folder).text("model_type", "")).orElseThrow();
    switch (kind) {
      case "decoder" -> AutoModel.loadCausalLm(folder, Device.cpu(), types, Compute.EXACT).close();
      case "encoder-decoder" ->
          AutoModel.loadSeq2SeqLm(folder, Device.cpu(), types, Compute.EXACT, null).close();
      default -> AutoModel.load(folder, Device.cpu(), storage, Compute.EXACT).close();
    }
  }
}
