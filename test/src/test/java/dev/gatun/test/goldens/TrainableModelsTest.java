package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.Config;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.models.LossCounts;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a model made for training is not what its file says: heads, losses in parts, errors. */
final class TrainableModelsTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final Device CPU = Device.cpu();

  @TempDir private Path saved;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-mlm",
        "bert-tokens",
        "bert-qa",
        "bert-pretraining",
        "bert-classify",
        "bert-regression",
        "bert-multi-label",
        "bert-nsp",
        "electra-discriminator"
      })
  void uneven_parts_of_a_step_add_up_to_one_batch(String golden) throws IOException {
    try (TensorFile expected = TensorFile.open(GOLDENS.resolve(golden, "expected.safetensors"));
        EncoderModel model = AutoModel.forTraining(GOLDENS.resolve(golden), null, CPU)) {
      EncoderInputs all = Goldens.inputs(expected);
      List<EncoderInputs> parts = List.of(rows(all, 0, 1), rows(all, 1, 3));
      LossCounts counts =
          parts.stream().map(model::lossCounts).reduce(LossCounts::plus).orElseThrow();
      assertEquals(model.lossCounts(all).items(), counts.items());
      assertEquals(2, counts.batches());
      List<Tensor> leaves = model.parameters().stream().map(Parameter::tensor).toList();
      float whole;
      List<float[]> wanted = new ArrayList<>();
      try (Tape tape = Tape.record(leaves);
          Tensor loss = model.loss(all, null)) {
        whole = loss.toFloatArray()[0];
        try (Gradients gradients = tape.backward(loss)) {
          leaves.forEach(leaf -> wanted.add(numbers(gradients, leaf)));
        }
      }
      double sum = 0;
      try (Gradients gradients = new Gradients()) {
        for (EncoderInputs part : parts) {
          try (Tape tape = Tape.record(leaves);
              Tensor loss = model.loss(part, counts)) {
            sum += loss.toFloatArray()[0];
            tape.backward(loss, gradients);
          }
        }
        assertEquals(whole, sum, 1e-5 * Math.max(1, whole));
        for (int i = 0; i < leaves.size(); i++) {
          float[] got = numbers(gradients, leaves.get(i));
          float largest = 0;
          for (float value : wanted.get(i)) {
            largest = Math.max(largest, Math.abs(value));
          }
          assertArrayEquals(
              wanted.get(i), got, 2e-5f * largest + 1e-6f, model.parameters().get(i).name());
        }
      }
    }
  }

  private static float[] numbers(Gradients gradients, Tensor leaf) {
    Tensor gradient = gradients.of(leaf);
    return gradient == null ? new float[(int) leaf.count()] : gradient.toFloatArray();
  }

  /** Some of the sequences. */
  private static EncoderInputs rows(EncoderInputs all, int from, int to) {
    float[][] values = all.labelValues();
    return new EncoderInputs(
        rows(all.inputIds(), from, to),
        rows(all.attentionMask(), from, to),
        rows(all.tokenTypeIds(), from, to),
        rows(all.labels(), from, to),
        values == null ? null : Arrays.copyOfRange(values, from, to),
        rows(all.nextSentenceLabel(), from, to),
        rows(all.startPositions(), from, to),
        rows(all.endPositions(), from, to),
        false,
        false);
  }

  private static long[][] rows(long[][] all, int from, int to) {
    return all == null ? null : Arrays.copyOfRange(all, from, to);
  }

  private static long[] rows(long[] all, int from, int to) {
    return all == null ? null : Arrays.copyOfRange(all, from, to);
  }

  @Test
  void a_head_that_the_file_lacks_begins_new() throws IOException {
    Path golden = GOLDENS.resolve("bert-mlm");
    try (TensorFile expected = TensorFile.open(golden.resolve("expected.safetensors"))) {
      float[] scores;
      try (EncoderModel model = AutoModel.forTraining(golden, Head.SEQUENCE_CLASSIFICATION, CPU)) {
        List<String> names = model.parameters().stream().map(Parameter::name).toList();
        assertTrue(names.contains("classifier.bias"));
        assertTrue(names.contains("bert.pooler.dense.weight"));
        assertTrue(names.stream().noneMatch(name -> name.startsWith("cls.")));
        scores = Trainable.scores(model, expected);
        model.save(saved);
      }
      assertTrue(
          Files.readString(saved.resolve("config.json")).contains("BertForSequenceClassification"));
      try (Model model = AutoModel.load(saved, CPU, Storage.F32, Compute.EXACT)) {
        assertArrayEquals(scores, Trainable.scores(model, expected));
      }
    }
  }

  @Test
  void a_bodys_own_file_gets_the_names_that_a_head_has_beside_it() throws IOException {
    Path golden = GOLDENS.resolve("bert-mlm");
    Path body = Files.createDirectory(saved.resolve("body"));
    Files.copy(golden.resolve("config.json"), body.resolve("config.json"));
    try (TensorFile file = TensorFile.open(golden)) {
      List<TensorFile.Entry> entries =
          file.names().stream()
              .filter(name -> name.startsWith("bert."))
              .map(file::get)
              .map(
                  e ->
                      new TensorFile.Entry(
                          e.name().substring("bert.".length()), e.dtype(), e.shape(), e.data(), ""))
              .toList();
      SafetensorsWriter.write(body.resolve("model.safetensors"), entries, Map.of());
    }
    try (EncoderModel whole = AutoModel.forTraining(golden, Head.MASKED_LM, CPU);
        EncoderModel model = AutoModel.forTraining(body, Head.MASKED_LM, CPU)) {
      assertEquals(
          whole.parameters().stream().map(Parameter::name).toList(),
          model.parameters().stream().map(Parameter::name).toList());
      Map<String, float[]> wanted =
          whole.parameters().stream()
              .collect(Collectors.toMap(Parameter::name, p -> p.tensor().toFloatArray()));
      for (Parameter parameter : model.parameters()) {
        if (parameter.name().startsWith("bert.")) {
          assertArrayEquals(wanted.get(parameter.name()), parameter.tensor().toFloatArray());
        } else if (parameter.name().endsWith("bias")) {
          assertArrayEquals(new float[(int) parameter.count()], parameter.tensor().toFloatArray());
        }
      }
    }
  }

  @Test
  void another_models_file_is_refused() throws IOException {
    Files.copy(GOLDENS.resolve("bert-mlm", "config.json"), saved.resolve("config.json"));
    Files.copy(
        GOLDENS.resolve("distilbert-mlm", "model.safetensors"), saved.resolve("model.safetensors"));
    WeightsException e =
        assertThrows(
            WeightsException.class, () -> AutoModel.forTraining(saved, Head.MASKED_LM, CPU));
    assertTrue(e.getMessage().matches(".*lacks \\d+ of the \\d+ parameters.*"), e.getMessage());
  }

  @Test
  void quantised_weights_are_refused() {
    Path golden = GOLDENS.resolve("decoders", "llama-gptq");
    WeightsException e =
        assertThrows(
            WeightsException.class,
            () -> AutoModel.causalLmForTraining(golden, CPU, TrainingSettings.DEFAULT));
    assertTrue(e.getMessage().contains("quantised"), e.getMessage());
  }

  @Test
  void a_model_that_only_computes_cannot_be_saved() throws IOException {
    try (CausalLm model = AutoModel.loadCausalLm(GOLDENS.resolve("decoders", "gpt2"))) {
      IllegalStateException e = assertThrows(IllegalStateException.class, () -> model.save(saved));
      assertTrue(e.getMessage().contains("was not made for training"), e.getMessage());
    }
  }

  @Test
  void weights_that_cannot_be_written_leave_the_last_ones() throws IOException {
    Path golden = GOLDENS.resolve("bert-mlm");
    try (EncoderModel model = AutoModel.forTraining(golden, null, CPU)) {
      model.save(saved);
      byte[] before = Files.readAllBytes(saved.resolve("model.safetensors"));
      model.parameters().getFirst().write(new float[(int) model.parameters().getFirst().count()]);
      Path half = Files.createDirectory(saved.resolve("model.safetensors.half"));
      Files.createFile(half.resolve("in the way"));
      assertThrows(IOException.class, () -> model.save(saved));
      assertArrayEquals(before, Files.readAllBytes(saved.resolve("model.safetensors")));
    }
  }

  @Test
  void a_loss_without_labels_is_refused() throws IOException {
    long[][] ids = {{2, 5, 3}};
    try (EncoderModel model = AutoModel.forTraining(GOLDENS.resolve("bert-mlm"), null, CPU)) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> model.loss(EncoderInputs.of(ids), null));
      assertTrue(e.getMessage().contains("labels are missing"), e.getMessage());
    }
  }

  /** What the classes of transformers look for, and as many labels as they need. */
  @ParameterizedTest
  @CsvSource({
    "gte-mlm, TOKEN_CLASSIFICATION, gte.emb, GteForTokenClassification",
    "nomic-bert-mlm, TOKEN_CLASSIFICATION, nomic_bert.emb, NomicBertForTokenClassification",
    "deberta-v2-mlm-new-head, MASKED_LM, lm_predictions.lm_head.bias, DebertaV2ForMaskedLM",
    "bert-mlm, QUESTION_ANSWERING, qa_outputs, BertForQuestionAnswering"
  })
  void is_saved_under_the_names_of_transformers(
      String golden, Head head, String name, String architecture) throws IOException {
    String config = Files.readString(GOLDENS.resolve(golden).resolve("config.json"));
    String three =
        config.replaceFirst("\\{", "{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"},");
    Path file = Files.writeString(saved.resolve("given.json"), three);
    try (Model model = AutoModel.forTraining(file, head, CPU)) {
      model.save(saved);
      assertTrue(model.parameters().stream().anyMatch(each -> each.name().startsWith(name)));
    }
    Config told = Config.read(saved);
    assertEquals(List.of(architecture), told.texts("architectures"));
    assertEquals(head == Head.QUESTION_ANSWERING ? 2 : 3, told.labelCount());
  }
}
