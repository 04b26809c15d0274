package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Very small decoders with settings that no golden has give transformers' logits and gradients. */
final class DecoderSettingsTest {
  private static final SmallModels MODELS = new SmallModels("decoder-settings.json", 1 / 64f);

  @TempDir private Path folder;

  static List<String> names() throws IOException {
    List<String> names = MODELS.names();
    assertTrue(names.size() >= 3, names.toString());
    return names;
  }

  @ParameterizedTest
  @MethodSource("names")
  void equals_transformers(String name) throws IOException {
    JsonNode expected = MODELS.named(name);
    MODELS.write(expected, folder);
    long[][] ids = {
      SmallModels.longs(expected.path("ids").get(0)), SmallModels.longs(expected.path("ids").get(1))
    };
    try (CausalLm model = AutoModel.loadCausalLm(folder)) {
      try (CausalLmOutput output = model.forward(CausalLmInputs.of(ids))) {
        compare(expected.path("logits"), 0, output.logits().toFloatArray());
      }
      // Token by token, by way of a cache.
      try (KvCache cache = KvCache.paged(model.device(), model.cacheShape(), 4, 8);
          KvSequence sequence = cache.open()) {
        for (int t = 0; t < ids[1].length; t++) {
          try (TokenBatch batch = model.batch(List.of(Chunk.of(sequence, ids[1][t])));
              Tensor logits = model.logits(batch)) {
            compare(expected.path("logits"), ids[0].length + t, logits.toFloatArray());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void trains_as_transformers(String name) throws IOException {
    JsonNode expected = MODELS.named(name);
    MODELS.write(expected, folder);
    long[][] ids = {
      SmallModels.longs(expected.path("ids").get(0)), SmallModels.longs(expected.path("ids").get(1))
    };
    CausalLmInputs inputs = new CausalLmInputs(ids, null, ids, false, false);
    try (CausalLm model =
            AutoModel.causalLmForTraining(folder, Device.cpu(), TrainingSettings.DEFAULT);
        Tape tape = Tape.record(model.parameters().stream().map(Parameter::tensor).toList());
        CausalLmOutput output = model.forward(inputs);
        Gradients gradients = tape.backward(output.loss())) {
      assertEquals(expected.path("loss").doubleValue(), output.lossValue(), 1e-4);
      int compared = 0;
      for (Parameter parameter : model.parameters()) {
        JsonNode wanted = expected.path("gradients").path(parameter.name());
        if (!wanted.isMissingNode()) {
          compare(wanted, 0, gradients.of(parameter.tensor()).toFloatArray());
          compared++;
        }
      }
      assertEquals(expected.path("gradients").size(), compared);
    }
  }

  /**
   * Compares some rows.
   *
   * @param first of the rows among all expected ones, which have 11 scores
   */
  private static void compare(JsonNode logits, int first, float[] got) {
    double[] want =
        IntStream.range(0, got.length)
            .mapToDouble(i -> logits.get(11 * first + i).doubleValue())
            .toArray();
    double largest = Arrays.stream(want).map(Math::abs).max().orElseThrow();
    for (int i = 0; i < got.length; i++) {
      assertTrue(
          Math.abs(got[i] - want[i]) <= 1e-4 * largest,
          "score %d is %g, expected %g".formatted(i, got[i], want[i]));
    }
  }
}
