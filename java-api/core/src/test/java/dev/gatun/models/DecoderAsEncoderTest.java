package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoders' hidden states, and heads on them, are those of transformers' classes. */
final class DecoderAsEncoderTest {
  private static final SmallModels MODELS = new SmallModels("decoder-bodies.json", 1 / 8f);

  @TempDir private Path folder;

  static List<String> names() throws IOException {
    List<String> names = MODELS.names();
    assertTrue(names.size() >= 11, names.toString());
    return names;
  }

  private static float[] floats(JsonNode values) {
    float[] all = new float[values.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = values.get(i).floatValue();
    }
    return all;
  }

  private static float[] values(EncoderOutput output, Head head) {
    if (head != Head.QUESTION_ANSWERING) {
      return (head == Head.BASE ? output.lastHiddenState() : output.logits()).toFloatArray();
    }
    float[] starts = output.startLogits().toFloatArray();
    float[] ends = output.endLogits().toFloatArray();
    float[] both = new float[2 * starts.length];
    for (int i = 0; i < starts.length; i++) {
      both[2 * i] = starts[i];
      both[2 * i + 1] = ends[i];
    }
    return both;
  }

  private static void compare(float[] want, float[] got, int first) {
    double largest = 0;
    for (float value : want) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < want.length; i++) {
      assertEquals(want[i], got[first + i], 1e-4 * largest, "value " + i);
    }
  }

  /** Each sequence in a batch with the others, padded on either side. */
  @ParameterizedTest
  @MethodSource("names")
  void equals_transformers(String name) throws IOException {
    JsonNode expected = MODELS.named(name);
    MODELS.write(expected, folder);
    long[][] rows = {
      SmallModels.longs(expected.path("ids").get(0)),
      SmallModels.longs(expected.path("ids").get(1)),
      SmallModels.longs(expected.path("ids").get(2))
    };
    try (EncoderModel model = AutoModel.load(folder)) {
      for (boolean left : new boolean[] {false, true}) {
        int length = rows[0].length;
        long[][] ids = new long[rows.length][length];
        long[][] mask = new long[rows.length][length];
        for (int s = 0; s < rows.length; s++) {
          int at = left ? length - rows[s].length : 0;
          System.arraycopy(rows[s], 0, ids[s], at, rows[s].length);
          Arrays.fill(mask[s], at, at + rows[s].length, 1);
        }
        try (EncoderOutput output = model.forward(EncoderInputs.of(ids, mask, null))) {
          float[] got = values(output, model.head());
          for (int s = 0; s < rows.length; s++) {
            float[] want = floats(expected.path("outputs").get(s));
            boolean ofTokens = model.head() != Head.SEQUENCE_CLASSIFICATION;
            int width = ofTokens ? want.length / rows[s].length : want.length;
            int first = ofTokens && left ? length - rows[s].length : 0;
            compare(want, got, ((ofTokens ? s * length : s) + first) * width);
          }
        }
      }
    }
  }

  static Stream<String> goldens() throws IOException {
    try (Stream<Path> folders = Files.list(ModelFiles.GOLDENS.resolve("decoders"))) {
      List<String> names =
          folders
              .map(each -> each.getFileName().toString())
              // Codes of GPTQ and AWQ have goldens of their own; the rest have layers' outputs.
              .filter(each -> !each.contains("gptq") && !each.contains("awq"))
              .sorted()
              .toList();
      assertTrue(names.size() > 25, names.toString());
      return names.stream();
    }
  }

  /** The last hidden states that were computed beside the scores of what follows. */
  @ParameterizedTest
  @MethodSource("goldens")
  void a_body_gives_the_last_hidden_states(String golden) throws IOException {
    Path directory = ModelFiles.GOLDENS.resolve("decoders").resolve(golden);
    try (TensorFile expected = TensorFile.open(directory.resolve("expected.safetensors"));
        EncoderModel model =
            AutoModel.load(directory, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT)) {
      String last =
          expected.names().stream()
              .filter(name -> name.matches("out\\.hidden_states\\.\\d+"))
              .max(Comparator.comparingInt(DecoderAsEncoderTest::number))
              .orElseThrow();
      long[][] ids = longs(expected.get("in.input_ids"));
      long[][] mask =
          expected.names().contains("in.attention_mask")
              ? longs(expected.get("in.attention_mask"))
              : null;
      float[] want = expected.get(last).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      try (EncoderOutput output = model.forward(EncoderInputs.of(ids, mask, null))) {
        float[] got = output.lastHiddenState().toFloatArray();
        int width = want.length / (ids.length * ids[0].length);
        for (int s = 0; s < ids.length; s++) {
          for (int t = 0; t < ids[s].length; t++) {
            if (mask == null || mask[s][t] == 1) {
              int at = (s * ids[s].length + t) * width;
              compare(Arrays.copyOfRange(want, at, at + width), got, at);
            }
          }
        }
      }
    }
  }

  /**
   * Over a padded batch an answer's scores are computed of padding too, for transformers' loss
   * reads them. Each is one of its own: padding is no key of any query, the padding behind it
   * neither.
   */
  @ParameterizedTest
  @ValueSource(strings = {"bloom", "falcon", "falcon-alibi", "gpt2", "gpt-neox", "gptj", "mixtral"})
  void padding_sees_no_padding(String golden) throws IOException {
    long[][] mask = {{1, 1, 1, 1, 1}, {1, 1, 0, 0, 0}};
    try (EncoderModel model =
        AutoModel.forTraining(
            ModelFiles.GOLDENS.resolve("decoders").resolve(golden),
            Head.QUESTION_ANSWERING,
            Device.cpu())) {
      float[] want = starts(model, new long[][] {{5, 6, 7, 8, 9}, {4, 3, 10, 11, 12}}, mask);
      float[] got = starts(model, new long[][] {{5, 6, 7, 8, 9}, {4, 3, 50, 60, 12}}, mask);
      for (int i : new int[] {0, 1, 2, 3, 4, 5, 6, 9}) {
        assertEquals(want[i], got[i], 1e-5, "score " + i);
      }
      assertTrue(want[7] != got[7] && want[8] != got[8]);
    }
  }

  private static float[] starts(EncoderModel model, long[][] ids, long[][] mask) {
    long[] positions = {1, 0};
    EncoderInputs inputs =
        new EncoderInputs(ids, mask, null, null, null, null, positions, positions, false, false);
    try (EncoderOutput output = model.forward(inputs)) {
      return output.startLogits().toFloatArray();
    }
  }

  private static int number(String name) {
    return Integer.parseInt(name.substring(name.lastIndexOf('.') + 1));
  }

  private static long[][] longs(TensorFile.Entry entry) {
    long[] flat = entry.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    int rows = (int) entry.shape()[0];
    int columns = flat.length / rows;
    long[][] all = new long[rows][];
    for (int s = 0; s < rows; s++) {
      all[s] = Arrays.copyOfRange(flat, s * columns, (s + 1) * columns);
    }
    return all;
  }

  /** A classifier's loss moves its head and its body, and is saved as transformers names it. */
  @Test
  void a_head_trains() throws IOException {
    JsonNode expected = MODELS.named("last");
    MODELS.write(expected, folder);
    long[][] ids = {
      SmallModels.longs(expected.path("ids").get(0)), SmallModels.longs(expected.path("ids").get(0))
    };
    EncoderInputs inputs =
        new EncoderInputs(
            ids, null, null, new long[][] {{2}, {0}}, null, null, null, null, false, false);
    Path saved = Files.createDirectory(folder.resolve("saved"));
    try (EncoderModel model = AutoModel.forTraining(folder, null, Device.cpu());
        Tape tape = Tape.record(model.parameters().stream().map(Parameter::tensor).toList());
        Tensor loss = model.loss(inputs, null);
        Gradients gradients = tape.backward(loss)) {
      for (Parameter parameter : model.parameters()) {
        float[] gradient = gradients.of(parameter.tensor()).toFloatArray();
        boolean moves = false;
        for (float value : gradient) {
          moves |= value != 0;
        }
        assertTrue(moves, parameter.name());
      }
      model.save(saved);
    }
    assertEquals(
        List.of("Qwen3ForSequenceClassification"), Config.read(saved).texts("architectures"));
    try (EncoderModel model = AutoModel.load(saved)) {
      assertEquals(Head.SEQUENCE_CLASSIFICATION, model.head());
    }
  }

  /** The class that transformers has for a decoder with a head, whatever the file's was. */
  @ParameterizedTest
  @CsvSource({
    "gpt2, BASE, GPT2Model, ''",
    "openai-gpt, SEQUENCE_CLASSIFICATION, OpenAIGPTForSequenceClassification, score.weight",
    "gemma3, SEQUENCE_CLASSIFICATION, Gemma3TextForSequenceClassification, score.weight",
    "mixtral, TOKEN_CLASSIFICATION, MixtralForTokenClassification, score.bias",
    "bloom, TOKEN_CLASSIFICATION, BloomForTokenClassification, classifier.bias",
    "falcon, TOKEN_CLASSIFICATION, FalconForTokenClassification, classifier.bias",
    "gpt2, TOKEN_CLASSIFICATION, GPT2ForTokenClassification, classifier.bias",
    "gpt-neox, TOKEN_CLASSIFICATION, GPTNeoXForTokenClassification, classifier.bias",
    "mixtral, QUESTION_ANSWERING, MixtralForQuestionAnswering, qa_outputs.bias"
  })
  void is_saved_as_transformers_names_it(
      String golden, Head head, String architecture, String parameter) throws IOException {
    Path directory = ModelFiles.GOLDENS.resolve("decoders").resolve(golden);
    try (EncoderModel model = AutoModel.forTraining(directory, head, Device.cpu())) {
      assertTrue(
          parameter.isEmpty()
              || model.parameters().stream().anyMatch(each -> each.name().equals(parameter)));
      model.save(folder);
    }
    Config config = Config.read(folder);
    assertEquals(List.of(architecture), config.texts("architectures"));
    assertEquals("encoder", AutoModel.kind(config).orElseThrow());
    try (EncoderModel model = AutoModel.load(folder)) {
      assertEquals(head, model.head());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bloom | 'is_causal' is false, expected true: its tokens see what came before them",
        "falcon-alibi | 'is_causal' is false, expected true: its tokens see what came before them",
        "openai-gpt | 'is_causal' is false, expected true: its tokens see what came before them",
        "gemma2 | 'use_bidirectional_attention' is true, expected false"
      })
  void refuses_what_it_cannot_see(String golden, String message) throws IOException {
    ModelFiles files = ModelFiles.read("decoders/" + golden);
    files.config.put(
        golden.equals("gemma2") ? "use_bidirectional_attention" : "is_causal",
        golden.equals("gemma2"));
    files.write(folder);
    Exception e = assertThrows(IllegalArgumentException.class, () -> body(folder));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void tells_how_a_decoder_loads() throws IOException {
    Path llama = ModelFiles.GOLDENS.resolve("decoders/llama");
    Exception named = assertThrows(IllegalArgumentException.class, () -> AutoModel.load(llama));
    assertTrue(
        named.getMessage().contains("names LlamaForCausalLM, a decoder: it loads as a CausalLm"),
        named.getMessage());
    Exception head =
        assertThrows(
            IllegalArgumentException.class,
            () -> AutoModel.load(llama, Head.MASKED_LM, Device.cpu(), Storage.F32, Compute.EXACT));
    assertTrue(head.getMessage().contains("a llama has no head MASKED_LM"), head.getMessage());
    Exception spans =
        assertThrows(
            IllegalArgumentException.class,
            () -> AutoModel.forTraining(llama, Head.QUESTION_ANSWERING, Device.cpu()));
    assertTrue(spans.getMessage().contains("a llama is not trained with the head QUESTION_ANS"));
    ModelFiles files = ModelFiles.read("decoders/llama");
    files.config.put("is_causal", false);
    files.write(folder);
    Exception both =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadCausalLm(folder));
    assertTrue(
        both.getMessage().contains("'is_causal' is false, expected true"), both.getMessage());
  }

  private static void body(Path directory) throws IOException {
    AutoModel.load(directory, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT).close();
  }
}
