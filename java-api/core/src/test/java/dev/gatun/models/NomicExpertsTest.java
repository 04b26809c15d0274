package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.compression.GgufQuantizer;
import dev.gatun.compression.QuantizedModel;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Parameter;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** NomicBERT with mixtures of experts gives what the goldens' plain layers of PyTorch give. */
final class NomicExpertsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String EXPERTS = "encoder.layers.1.mlp.experts.";

  @TempDir private Path folder;

  private static JsonNode golden() throws IOException {
    return JSON.readTree(ModelFiles.GOLDENS.resolve("nomic-experts.json").toFile());
  }

  private static long[] integers(JsonNode list) {
    return JSON.convertValue(list, long[].class);
  }

  private static long[][] rows(JsonNode lists) {
    return JSON.convertValue(lists, long[][].class);
  }

  private static int mixed(int number) {
    int x = (number ^ number >>> 16) * 0x85EBCA6B;
    x = (x ^ x >>> 13) * 0xC2B2AE35;
    return x ^ x >>> 16;
  }

  /** The numbers that make_nomic_experts.py gives a tensor of a name. */
  private static ModelFiles.Stored stored(String name, long... shape) {
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    boolean norm = name.contains("norm") || name.contains("emb_ln");
    double scale = norm ? 0.125 : 0.25;
    scale = name.contains("embeddings") ? 1 : name.contains("router") ? 0.5 : scale;
    int count = (int) (shape.length == 1 ? shape[0] : shape[0] * shape[1]);
    ByteBuffer data = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      int x = mixed((int) crc.getValue() + i * 0x9E3779B9) >>> 8;
      double one = norm && name.endsWith("weight") ? 1 : 0;
      data.putFloat((float) ((x - 0x1p23) / 0x1p23 * scale + one));
    }
    return new ModelFiles.Stored("F32", shape, data.array());
  }

  private static ModelFiles files(String name) throws IOException {
    JsonNode golden = golden();
    JsonNode one = golden.path("cases").path(name);
    ModelFiles files = ModelFiles.of((ObjectNode) golden.path("config"));
    files.config.setAll((ObjectNode) one.path("set"));
    JsonNode tensors = one.path(one.path("tensors").isNull() ? "" : "tensors");
    for (var each : (tensors.isMissingNode() ? golden.path("tensors") : tensors).properties()) {
      files.tensors.put(each.getKey(), stored(each.getKey(), integers(each.getValue())));
    }
    if (name.equals("no-bias")) {
      files.tensors.replaceAll(
          (tensor, old) ->
              tensor.endsWith("experts.bias")
                  ? new ModelFiles.Stored("F32", old.shape(), new byte[old.data().length])
                  : old);
    }
    return files;
  }

  private static void compare(String name, EncoderModel model, double tolerance)
      throws IOException {
    JsonNode golden = golden();
    JsonNode want = golden.path("cases").path(name);
    long[][] ids = rows(golden.path("ids"));
    long[] columns = integers(golden.path("columns"));
    try (EncoderOutput output = model.forward(EncoderInputs.of(ids))) {
      float[] states = output.lastHiddenState().toFloatArray();
      int longest = (int) output.lastHiddenState().size(1);
      int width = (int) output.lastHiddenState().size(2);
      int at = 0;
      for (int row = 0; row < ids.length; row++) {
        for (int token = 0; token < ids[row].length; token++) {
          for (long column : columns) {
            float got = states[(row * longest + token) * width + (int) column];
            assertEquals(want.path("states").path(at++).doubleValue(), got, tolerance, name);
          }
        }
      }
      assertEquals(want.path("states").size(), at);
      if (output.logits() != null) {
        float[] logits = output.logits().toFloatArray();
        for (int i = 0; i < logits.length; i++) {
          assertEquals(want.path("logits").path(i).doubleValue(), logits[i], tolerance, name);
        }
      }
    }
  }

  static List<String> cases() throws IOException {
    List<String> names = new ArrayList<>();
    golden().path("cases").fieldNames().forEachRemaining(names::add);
    assertTrue(names.size() >= 5, names.toString());
    return names;
  }

  /** And no key of the configuration is left unread. */
  @ParameterizedTest
  @MethodSource("cases")
  void states_are_those_of_the_reference(String name) throws IOException {
    files(name).write(folder);
    System.setProperty("gatun.strict", "true");
    try (EncoderModel model = AutoModel.load(folder)) {
      compare(name, model, 2e-5);
      assertEquals(Set.of(), UnreadKeys.of(model.config()));
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, 0.1", "F16, 0.01"})
  void narrow_weights_are_near(DType dtype, double tolerance) throws IOException {
    files("experts").write(folder);
    try (EncoderModel model = AutoModel.load(folder, Storage.of(dtype))) {
      compare("experts", model, tolerance);
    }
  }

  @Test
  void trains_as_the_reference() throws IOException {
    files("experts").write(folder);
    JsonNode golden = golden();
    JsonNode want = golden.path("cases").path("experts");
    long[] labels = integers(golden.path("labels"));
    EncoderInputs inputs =
        new EncoderInputs(
            rows(golden.path("ids")),
            null,
            null,
            new long[][] {{labels[0]}, {labels[1]}},
            null,
            null,
            null,
            null,
            false,
            false);
    try (EncoderModel model =
            AutoModel.forTraining(folder, null, Device.cpu(), TrainingSettings.DEFAULT);
        Tape tape = Tape.record(model.parameters().stream().map(Parameter::tensor).toList());
        EncoderOutput output = model.forward(inputs);
        Gradients gradients = tape.backward(output.loss())) {
      assertEquals(want.path("loss").doubleValue(), output.loss().toFloatArray()[0], 1e-5);
      int compared = 0;
      for (Parameter parameter : model.parameters()) {
        JsonNode sums = want.path("gradients").path(parameter.name().replaceFirst("^bert\\.", ""));
        if (sums.isMissingNode()) {
          continue;
        }
        compared++;
        double squares = 0;
        double sum = 0;
        try (Tensor gradient = Layouts.contiguous(gradients.of(parameter.tensor()))) {
          float[] values = gradient.toFloatArray();
          for (int i = 0; i < values.length; i++) {
            squares += Math.pow(values[i], 2);
            sum += values[i] * Math.cos(i + 1);
          }
        }
        double norm = sums.path(0).doubleValue();
        assertEquals(norm, Math.sqrt(squares), 1e-4 * norm, parameter.name());
        assertEquals(sums.path(1).doubleValue(), sum, 1e-4 * norm, parameter.name());
      }
      assertEquals(want.path("gradients").size(), compared);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "num_shared_experts | 1 | is 1, expected 0",
        "expert_choice_router | true | is true, expected false",
        "ffn_div | 2 | is 2, expected 1",
        "moe_top_k | 5 | is 5, expected at most the 4 experts",
        "moe_top_k | null | is missing",
        "moe_every_n_layers | 1 | is 1, expected 0 or a number from 2",
        "moe_normalize_expert_weights | 2 | is 2, expected false, true or 1",
        "activation_function | \"swiglu\" | is \"swiglu\", expected gelu: experts have no gates",
        "activation_function | \"gelu_new\" | is \"gelu_new\", expected swiglu, geglu, glu or gelu"
      })
  void what_no_checkpoint_has_is_refused(String key, String value, String message)
      throws IOException {
    ModelFiles files = files("experts");
    files.config.set(key, JSON.readTree(value));
    files.write(folder);
    var e = assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close());
    assertTrue(e.getMessage().contains("'" + key + "' " + message), e::getMessage);
  }

  /** The norm that the weights are divided by: of 1 it is their sum, of 0 there is none. */
  @ParameterizedTest
  @CsvSource({"1, normalized", "1.0, normalized", "0, experts"})
  void a_norm_has_a_number_too(double norm, String name) throws IOException {
    ModelFiles files = files(name);
    files.config.put("moe_normalize_expert_weights", norm);
    files.write(folder);
    try (EncoderModel model = AutoModel.load(folder)) {
      compare(name, model, 2e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {EXPERTS + "bias", EXPERTS + "mlp.w1", EXPERTS + "mlp.w2"})
  void what_is_missing_is_named(String tensor) throws IOException {
    ModelFiles files = files("experts");
    files.tensors.remove(tensor);
    files.write(folder);
    var e = assertThrows(RuntimeException.class, () -> AutoModel.load(folder).close());
    assertTrue(e.getMessage().contains(tensor), e::getMessage);
  }

  /** Where the bias is 0; another one has no place in GGUF. */
  @ParameterizedTest
  @CsvSource({"F32, 2e-5", "F16, 0.01"})
  void written_as_gguf_it_gives_the_same(String type, double tolerance) throws IOException {
    assertEquals(List.of(), written("no-bias", type, "{}").notes());
    try (EncoderModel model = AutoModel.load(folder.resolve("gguf"))) {
      compare("no-bias", model, tolerance);
    }
  }

  @Test
  void a_bias_that_gguf_has_no_place_for_is_told() throws IOException {
    QuantizedModel made = written("experts", "F32", "{}");
    assertTrue(made.leftOut().contains(EXPERTS + "bias"), made.leftOut()::toString);
    assertEquals(1, made.notes().size());
    assertTrue(made.notes().getFirst().startsWith("the experts' biases are left out"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"moe_normalize_expert_weights\":true}",
        "{\"activation_function\":\"gelu_new\"}",
        "{\"rotary_scaling_factor\":2.5}",
        "{\"num_experts\":7}"
      })
  void what_gguf_has_no_words_for_is_refused(String change) {
    var e = assertThrows(WeightsException.class, () -> written("experts", "F32", change));
    String key = change.substring(2, change.indexOf(':') - 1);
    assertTrue(e.getMessage().contains("'" + key + "'"), e::getMessage);
  }

  private QuantizedModel written(String name, String type, String change) throws IOException {
    ModelFiles files = files(name);
    files.tensors.keySet().removeIf(tensor -> tensor.startsWith("classifier"));
    files.config.setAll((ObjectNode) JSON.readTree(change));
    files.write(folder);
    Path gguf = Files.createDirectory(folder.resolve("gguf")).resolve("model.gguf");
    return GgufQuantizer.quantize(folder, gguf, type, null);
  }
}
