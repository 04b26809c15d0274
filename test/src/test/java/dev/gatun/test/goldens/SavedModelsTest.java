package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Models made for training compute what others do, to the bit, and so do the files they save. */
final class SavedModelsTest {
  @TempDir private Path saved;

  static List<Arguments> goldens() throws IOException {
    List<Arguments> all = new ArrayList<>();
    for (Trainable kind : Trainable.values()) {
      for (Path golden : kind.goldens()) {
        all.add(Arguments.of(kind, golden));
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void a_saved_model_gives_the_same_bits(Trainable kind, Path golden) throws IOException {
    Device device = Device.cpu();
    long before = device.memory().allocatedBytes();
    try (TensorFile expected = TensorFile.open(golden.resolve("expected.safetensors"))) {
      float[] plain;
      Set<String> stored = new TreeSet<>();
      try (Model model = kind.load(golden, device);
          TensorFile file = TensorFile.open(golden)) {
        plain = Trainable.scores(model, expected);
        assertTrue(plain.length > 0);
        assertEquals(List.of(), model.parameters());
        stored.addAll(file.names());
        stored.removeAll(model.unusedWeights());
      }
      try (Model model = kind.forTraining(golden, device, TrainingSettings.DEFAULT)) {
        assertArrayEquals(plain, Trainable.scores(model, expected));
        Set<String> names =
            model.parameters().stream()
                .map(Parameter::name)
                .collect(Collectors.toCollection(TreeSet::new));
        stored.remove("final_logits_bias");
        // Pegasus's sines, which transformers does not train either.
        if (golden.endsWith("pegasus")) {
          assertTrue(stored.removeIf(name -> name.endsWith("embed_positions.weight")));
        }
        assertEquals(stored, names);
        model.save(saved);
        for (Parameter parameter : model.parameters()) {
          parameter.write(new float[(int) parameter.count()]);
        }
        float[] zeros = Trainable.scores(model, expected);
        assertTrue(!java.util.Arrays.equals(plain, zeros), "what products read follows");
      }
      try (Model model = kind.load(saved, device)) {
        assertArrayEquals(plain, Trainable.scores(model, expected));
      }
    }
    assertEquals(before, device.memory().allocatedBytes(), "memory is given back");
  }
}
