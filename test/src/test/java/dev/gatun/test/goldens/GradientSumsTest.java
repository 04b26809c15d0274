package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of more models than there are room for: their norms, and sums that tell places. */
final class GradientSumsTest {
  private static final Path GOLDENS = Path.of("goldens");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "decoders/gemma3",
        "decoders/qwen3",
        "decoders/qwen3-moe",
        "decoders/falcon-new",
        "deberta-qa",
        "deberta-v2-qa"
      })
  void gradients_have_the_norms_and_sums_of_transformers(String name) throws IOException {
    Path folder = GOLDENS.resolve(name);
    JsonNode sums = new ObjectMapper().readTree(GOLDENS.resolve("gradient-sums.json").toFile());
    Trainable kind = name.startsWith("decoders/") ? Trainable.DECODER : Trainable.ENCODER;
    List<String> wrong = new ArrayList<>();
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Model model = kind.forTraining(folder, Device.cpu(), TrainingSettings.DEFAULT)) {
      Map<String, float[]> got = GradientGoldens.gradients(model, expected);
      for (var entry : sums.get(name).properties()) {
        float[] gradient = got.remove(entry.getKey());
        double norm = entry.getValue().get(0).doubleValue();
        double sum = 0;
        double squares = 0;
        for (int i = 0; gradient != null && i < gradient.length; i++) {
          sum += gradient[i] * Math.cos(i + 1);
          squares += (double) gradient[i] * gradient[i];
        }
        double off = Math.abs(sum - entry.getValue().get(1).doubleValue());
        off = Math.max(off, Math.abs(Math.sqrt(squares) - norm));
        if (!(off <= 1e-4 * norm + 1e-6)) {
          wrong.add("%s: off by %g of %g".formatted(entry.getKey(), off, norm));
        }
      }
      for (var rest : got.entrySet()) {
        for (float each : rest.getValue()) {
          if (each != 0) {
            wrong.add(rest.getKey() + " has a gradient, the reference has none");
            break;
          }
        }
      }
    }
    assertEquals(List.of(), wrong);
  }
}
