package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of a configuration alone begin as those of transformers do. */
final class NewModelsTest {
  private static final Path GOLDENS = Path.of("goldens");

  @TempDir private Path saved;

  private static JsonNode all() throws IOException {
    return new ObjectMapper().readTree(GOLDENS.resolve("initialisation.json").toFile());
  }

  static List<String> models() throws IOException {
    return StreamSupport.stream(((Iterable<String>) () -> names()).spliterator(), false)
        .filter(name -> !name.equals("transformers"))
        .toList();
  }

  private static java.util.Iterator<String> names() {
    try {
      return all().fieldNames();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Model begun(String name, long seed) throws IOException {
    Trainable kind =
        name.startsWith("decoders/")
            ? Trainable.DECODER
            : name.startsWith("encoder-decoders/") ? Trainable.ENCODER_DECODER : Trainable.ENCODER;
    return kind.forTraining(
        GOLDENS.resolve(name).resolve("config.json"),
        Device.cpu(),
        TrainingSettings.DEFAULT.withSeed(seed));
  }

  @ParameterizedTest
  @MethodSource("models")
  void begins_as_the_reference_does(String name) throws IOException {
    JsonNode expected = all().get(name);
    try (Model model = begun(name, 1)) {
      model.save(saved);
    }
    try (TensorFile file = TensorFile.open(saved)) {
      Set<String> names = new TreeSet<>();
      expected.fieldNames().forEachRemaining(names::add);
      assertEquals(names, new TreeSet<>(file.names()));
      for (String tensor : names) {
        check(file.get(tensor), expected.get(tensor));
      }
    }
  }

  private static void check(TensorFile.Entry tensor, JsonNode expected) {
    long[] shape =
        StreamSupport.stream(expected.get("shape").spliterator(), false)
            .mapToLong(JsonNode::longValue)
            .toArray();
    assertArrayEquals(shape, tensor.shape(), tensor.name());
    long columns = tensor.elements() / shape[0];
    long padding = expected.path("padding").asLong(-1);
    double sum = 0;
    double squares = 0;
    long count = 0;
    for (long i = 0; i < tensor.elements(); i++) {
      double value = tensor.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      if (expected.has("constant") || i / columns == padding) {
        double constant = expected.path("constant").asDouble(0);
        assertEquals(constant, value, 1e-7, tensor.name() + " at " + i);
      } else {
        sum += value;
        squares += value * value;
        count++;
      }
    }
    if (count > 0) {
      double deviation = expected.get("deviation").asDouble();
      // Five deviations of the estimates.
      double mean = sum / count;
      double found = Math.sqrt(squares / count);
      assertTrue(
          Math.abs(mean) <= 5 * deviation / Math.sqrt(count),
          () -> "%s: mean %g of %g".formatted(tensor.name(), mean, deviation));
      assertTrue(
          Math.abs(found - deviation) <= deviation * 5 / Math.sqrt(2.0 * count),
          () -> "%s: deviation %g, not %g".formatted(tensor.name(), found, deviation));
    }
  }

  @Test
  void a_seed_makes_the_same_model_again_and_another_one_another() throws IOException {
    float[] first = numbers(1);
    assertArrayEquals(first, numbers(1));
    float[] other = numbers(2);
    assertNotEquals(Arrays.hashCode(first), Arrays.hashCode(other));
  }

  private static float[] numbers(long seed) throws IOException {
    try (Model model = begun("decoders/gpt2", seed)) {
      Parameter first = model.parameters().getFirst();
      return first.tensor().toFloatArray();
    }
  }

  /** A new encoder's body, of a golden's configuration with another value of a key, or without. */
  private EncoderModel body(String golden, String key, String value) throws IOException {
    Path config = GOLDENS.resolve(golden).resolve("config.json");
    ObjectNode changed = (ObjectNode) new ObjectMapper().readTree(config.toFile());
    changed.remove(key);
    if (value != null) {
      changed.set(key, new ObjectMapper().readTree(value));
    }
    Path file = Files.writeString(saved.resolve("config.json"), changed.toString());
    return AutoModel.forTraining(file, Head.BASE, Device.cpu());
  }

  /** The row of a table whose look-ups learn nothing has zeros. */
  @ParameterizedTest
  @CsvSource({
    "bert-mlm, 5, 5",
    "bert-mlm, null, -1",
    "mpnet-mlm, 5, 1",
    "gte-mlm, 5, 5",
    "nomic-bert-mlm, 5, 5",
    "nomic-bert-mlm, , 0"
  })
  void rows_of_padding(String golden, String pad, int row) throws IOException {
    try (Model model = body(golden, "pad_token_id", pad)) {
      Tensor words = model.parameters().getFirst().tensor();
      float[] all = words.toFloatArray();
      int width = (int) words.size(1);
      int zeros = -1;
      for (int i = 0; i < words.size(0); i++) {
        zeros = all[i * width] == 0 && all[i * width + 1] == 0 ? i : zeros;
      }
      assertEquals(row, zeros);
    }
  }

  @Test
  void modernbert_is_cut_at_two_deviations_where_nothing_is_said() throws IOException {
    try (Model model = body("modernbert-mlm", "initializer_cutoff_factor", null)) {
      for (float each : model.parameters().getFirst().tensor().toFloatArray()) {
        assertEquals(0, each, 0.0400001f);
      }
    }
  }

  @Test
  void distilbert_has_sines_where_it_is_told() throws IOException {
    try (Model model = body("distilbert-mlm", "sinusoidal_pos_embds", "true")) {
      float[] all = model.parameters().get(1).tensor().toFloatArray();
      float[] want = {0.9092974f, -0.41614684f, 0.90213072f, 0.43146282f};
      assertArrayEquals(want, Arrays.copyOfRange(all, 2 * 32, 2 * 32 + 4), 1e-6f);
    }
  }
}
