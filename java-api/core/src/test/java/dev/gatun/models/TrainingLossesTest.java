package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses of training: smoothed ones, and that scores of all tokens are never there. */
final class TrainingLossesTest {
  private static final Device CPU = Device.cpu();

  @TempDir Path folder;

  private static long[][] longs(TensorFile file, String name) {
    if (!file.names().contains(name)) {
      return null;
    }
    TensorFile.Entry entry = file.get(name);
    long[] all = entry.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    int rows = (int) entry.shape()[0];
    int width = all.length / rows;
    long[][] each = new long[rows][];
    for (int i = 0; i < rows; i++) {
      each[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return each;
  }

  private static Tensor loss(Model model, TensorFile golden, float smoothing) {
    return loss(model, golden, smoothing, null);
  }

  private static Tensor loss(Model model, TensorFile golden, float smoothing, float[][] weights) {
    long[][] ids = longs(golden, "in.input_ids");
    long[][] mask = longs(golden, "in.attention_mask");
    long[][] labels = longs(golden, "in.labels");
    return switch (model) {
      case EncoderModel encoder ->
          encoder.loss(
              new EncoderInputs(
                  ids,
                  mask,
                  longs(golden, "in.token_type_ids"),
                  labels,
                  null,
                  null,
                  null,
                  null,
                  false,
                  false,
                  weights),
              null,
              smoothing);
      case CausalLm decoder ->
          decoder.loss(
              new CausalLmInputs(ids, mask, labels, false, false).withLabelWeights(weights),
              null,
              smoothing);
      case Seq2SeqLm both ->
          both.loss(
              Seq2SeqInputs.ofLabels(ids, mask, labels).withLabelWeights(weights), null, smoothing);
    };
  }

  /** What PyTorch's cross-entropy of the goldens' scores is, by weights of 0, 0.5, 1 and 1.5. */
  @ParameterizedTest
  @CsvSource({
    "bert-mlm, 0, 5.1403620",
    "bert-mlm, 0.1, 5.1313535",
    "bert-classify, 0, 1.1903800",
    "bert-tokens, 0.1, 1.9608209",
    "decoders/gpt2, 0, 4.7798349",
    "decoders/gpt2, 0.1, 4.8062857",
    "decoders/gemma2, 0, 4.6020519",
    "encoder-decoders/t5, 0, 4.6744718",
    "encoder-decoders/bart, 0.1, 5.0864166"
  })
  void weighed_losses_are_those_of_torch(String name, float smoothing, double expected)
      throws IOException {
    Path path = ModelFiles.GOLDENS.resolve(name);
    try (TensorFile golden = TensorFile.open(path.resolve("expected.safetensors"))) {
      long[][] labels = longs(golden, "in.labels");
      float[][] weights = new float[labels.length][];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = new float[labels[i].length];
        for (int j = 0; j < weights[i].length; j++) {
          weights[i][j] = (3 * i + j + 1) % 4 / 2f;
        }
      }
      try (Model trained = DropoutTest.model(name, path);
          Tensor loss = loss(trained, golden, smoothing, weights);
          Tape tape = Tape.record(trained.parameters().stream().map(Parameter::tensor).toList());
          Tensor recorded = loss(trained, golden, smoothing, weights);
          Gradients _ = tape.backward(recorded)) {
        assertEquals(expected, loss.toFloatArray()[0], 1e-5 * expected);
        assertEquals(expected, recorded.toFloatArray()[0], 1e-5 * expected);
      }
    }
  }

  /** DeBERTa's own loss of several numbers, where nobody says what they are. */
  @Test
  void numbers_are_shares_of_a_label_of_deberta() throws IOException {
    long[][] ids = {{83, 31, 89, 7, 2}, {16, 76, 36, 79, 80}};
    float[][] shares = {{1, 0, 0.5f}, {0, 1, 1}};
    try (EncoderModel model = AutoModel.load(ModelFiles.GOLDENS.resolve("deberta-classify"));
        Tensor loss =
            model.loss(
                new EncoderInputs(ids, null, null, null, shares, null, null, null, false, false),
                null)) {
      assertEquals(2.1713114, loss.toFloatArray()[0], 1e-5);
    }
  }

  /** What transformers computes, which leaves them out for ELECTRA's discriminator alone. */
  @ParameterizedTest
  @CsvSource({
    "bert-mlm, 100, 4.9404273",
    "deberta-v2-tokens, 2, 2.2491245",
    "modernbert-tokens, 2, 2.2734482",
    "albert-pretraining, 100, 5.7366700",
    "electra-discriminator, 1, 0.6876060"
  })
  void labels_of_padding_count(String golden, int below, double expected) throws IOException {
    long[][] ids = {{83, 31, 89, 7, 2}, {16, 76, 36, 0, 0}};
    long[][] mask = {{1, 1, 1, 1, 1}, {1, 1, 1, 0, 0}};
    long[][] labels = {{5, -100, 6, -100, 7}, {8, -100, 9, 0, 0}};
    for (long[] row : labels) {
      Arrays.setAll(row, i -> row[i] == -100 ? row[i] : row[i] % below);
    }
    if (below == 1) {
      labels = new long[][] {{1, 0, 0, 0, 1}, {0, 0, 1, 0, 0}};
    }
    try (EncoderModel model = AutoModel.load(ModelFiles.GOLDENS.resolve(golden));
        EncoderOutput output =
            model.forward(
                new EncoderInputs(
                    ids, mask, null, labels, null, new long[] {0, 1}, null, null, false, false))) {
      assertEquals(expected, output.lossValue(), 1e-5);
    }
  }

  @Test
  void weights_that_do_not_fit_are_refused() {
    long[][] ids = {{1, 2, 3}};
    EncoderInputs inputs =
        new EncoderInputs(ids, null, null, ids, null, null, null, null, false, false);
    refused("label_weights: row 0 has 2, expected one for each label", inputs, 1, 2);
    refused(
        "label_weights: NaN at 1 of row 0, expected 0 or a positive number",
        inputs,
        1,
        Float.NaN,
        1);
    refused("label_weights has 1 rows, labels are missing", EncoderInputs.of(ids), 1, 1, 1);
  }

  private static void refused(String message, EncoderInputs inputs, float... weights) {
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class,
                () -> inputs.withLabelWeights(new float[][] {weights}))
            .getMessage());
  }

  @Test
  void heads_whose_labels_are_no_classes_have_no_weights() throws IOException {
    Path path = ModelFiles.GOLDENS.resolve("bert-nsp");
    try (EncoderModel model = AutoModel.forTraining(path, null, CPU)) {
      EncoderInputs inputs =
          new EncoderInputs(
                  new long[][] {{1, 2, 3}},
                  null,
                  null,
                  new long[][] {{1}},
                  null,
                  null,
                  null,
                  null,
                  false,
                  false)
              .withLabelWeights(new float[][] {{1}});
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> model.loss(inputs, null))
              .getMessage()
              .startsWith("label_weights: the loss of the head NEXT_SENTENCE_PREDICTION has none"));
    }
  }

  /** What transformers' LabelSmoother(0.1) makes of the models' scores, and of theirs as loaded. */
  @ParameterizedTest
  @CsvSource({
    "bert-mlm, 5.0350232",
    "bert-classify, 1.4580758",
    "bert-tokens, 1.8738468",
    "decoders/gpt2, 4.8078327",
    "decoders/gemma2, 4.6455064",
    "decoders/cohere, 4.7508512",
    "encoder-decoders/t5, 4.6106362",
    "encoder-decoders/bart, 4.9868011"
  })
  void smoothed_losses_are_those_of_transformers(String name, double expected) throws IOException {
    Path path = ModelFiles.GOLDENS.resolve(name);
    try (TensorFile golden = TensorFile.open(path.resolve("expected.safetensors"))) {
      try (Model trained = DropoutTest.model(name, path);
          Tensor loss = loss(trained, golden, 0.1f);
          Tape tape = Tape.record(trained.parameters().stream().map(Parameter::tensor).toList());
          Tensor recorded = loss(trained, golden, 0.1f);
          Gradients _ = tape.backward(recorded)) {
        assertEquals(expected, loss.toFloatArray()[0], 1e-5 * expected);
        assertEquals(expected, recorded.toFloatArray()[0], 1e-5 * expected);
      }
    }
  }

  @Test
  void heads_without_classes_are_not_smoothed() throws IOException {
    for (String name : new String[] {"bert-qa", "bert-pretraining", "bert-regression"}) {
      Path path = ModelFiles.GOLDENS.resolve(name);
      try (TensorFile golden = TensorFile.open(path.resolve("expected.safetensors"));
          EncoderModel model = AutoModel.forTraining(path, null, CPU)) {
        long[][] ids = longs(golden, "in.input_ids");
        float[][] values = new float[ids.length][1];
        EncoderInputs inputs =
            new EncoderInputs(ids, null, null, null, values, null, null, null, false, false);
        assertTrue(
            assertThrows(IllegalArgumentException.class, () -> model.loss(inputs, null, 0.1f))
                .getMessage()
                .startsWith("label smoothing is 0.1, expected 0: "));
      }
    }
  }

  /**
   * A GPT-2 of 50,000 tokens and 1,024 of them in a batch, whose scores have 205 MB, and a BERT all
   * of whose tokens have labels.
   */
  @ParameterizedTest
  @CsvSource({"decoders/gpt2, n_positions", "bert-mlm, max_position_embeddings"})
  void scores_of_all_tokens_are_never_there(String name, String positions) throws Exception {
    ObjectNode config =
        (ObjectNode)
            new ObjectMapper()
                .readTree(ModelFiles.GOLDENS.resolve(name).resolve("config.json").toFile());
    config.put("vocab_size", 50_000).put(positions, 256);
    Path file = folder.resolve("config.json");
    Files.writeString(file, config.toString());
    long[][] ids = new long[4][256];
    for (long[] row : ids) {
      for (int i = 0; i < row.length; i++) {
        row[i] = 10 + 190L * i;
      }
    }
    AtomicBoolean done = new AtomicBoolean();
    AtomicLong most = new AtomicLong();
    try (Model model = DropoutTest.model(name, file);
        Tape tape = Tape.record(model.parameters().stream().map(Parameter::tensor).toList())) {
      long before = CPU.memory().allocatedBytes();
      Thread watch =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!done.get()) {
                      most.accumulateAndGet(CPU.memory().allocatedBytes() - before, Math::max);
                      LockSupport.parkNanos(500_000);
                    }
                  });
      try (Tensor loss =
              switch (model) {
                case CausalLm decoder ->
                    decoder.loss(new CausalLmInputs(ids, null, ids, false, false), null);
                case EncoderModel encoder ->
                    encoder.loss(
                        new EncoderInputs(
                            ids, null, null, ids, null, null, null, null, false, false),
                        null);
                case Seq2SeqLm _ -> throw new AssertionError();
              };
          Gradients _ = tape.backward(loss)) {
        assertEquals(Math.log(50_000), loss.toFloatArray()[0], 0.1);
      } finally {
        done.set(true);
        watch.join();
      }
    }
    // At a time 335 tokens' scores; what a bias is added to is there twice.
    long scores = 4L << 24;
    assertTrue(most.get() > scores / 2, "saw %d bytes".formatted(most.get()));
    assertTrue(most.get() < 2.5 * scores, "saw %d bytes".formatted(most.get()));
  }
}
