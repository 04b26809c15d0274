package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.test.devices.ChildJvm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models as PyTorch's exporters write them to ONNX compute what they did before. */
final class OnnxExportsTest {
  private static final Path GOLDENS = Path.of("goldens/onnx");
  private static final double TOLERANCE = 2e-5;

  static List<Path> cases() throws IOException {
    try (Stream<Path> all = Files.list(GOLDENS)) {
      List<Path> cases = all.sorted().toList();
      assertTrue(cases.size() >= 6, cases.toString());
      return cases;
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void hidden_states_are_those_of_the_model(Path folder) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
    long[][] ids = new ObjectMapper().convertValue(expected.path("ids"), long[][].class);
    float[][][] hidden =
        new ObjectMapper().convertValue(expected.path("hidden"), float[][][].class);
    System.setProperty("gatun.strict", "true");
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(ids, null, null))) {
      List<String> others = model.unusedWeights();
      assertEquals(List.of(), others.stream().filter(n -> !n.endsWith("position_ids")).toList());
      float[] got = output.lastHiddenState().toFloatArray();
      int at = 0;
      for (float[][] row : hidden) {
        for (float[] token : row) {
          for (float value : token) {
            assertEquals(value, got[at++], TOLERANCE);
          }
        }
      }
      assertEquals(got.length, at);
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  /** A file of 90 MB stays where the system maps it. */
  @Test
  void a_large_file_is_loaded_with_a_small_heap(@TempDir Path folder) throws Exception {
    Path model = Files.createDirectory(folder.resolve("model"));
    try (InputStream in = OnnxExportsTest.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
      Files.copy(in, model.resolve("model.onnx"));
    }
    assertTrue(Files.size(model.resolve("model.onnx")) > 80_000_000);
    Files.writeString(
        model.resolve("config.json"),
        """
        {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6,
         "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": 30522}
        """);
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, Map.of(), List.of("-Xmx48m"), Small.class, model.toString());
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals("384\n", outcome.out());
  }

  /** What the child does. */
  static final class Small {
    private Small() {}

    public static void main(String[] directory) throws IOException {
      try (EncoderModel model = AutoModel.load(Path.of(directory[0]));
          EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{101, 2023, 102}}))) {
        System.out.println(output.lastHiddenState().size(2));
      }
    }
  }
}
