package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A vocabulary that grows: scores of the tokens before are the same, tied or not, biases too. */
final class VocabularyGrowthTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final Device CPU = Device.cpu();

  @TempDir private Path saved;

  static Stream<Arguments> models() {
    return Stream.of(
        Arguments.of(Trainable.ENCODER, "bert-mlm", 3),
        Arguments.of(Trainable.ENCODER, "bert-mlm", 64),
        Arguments.of(Trainable.ENCODER, "bert-mlm-untied", 3),
        Arguments.of(Trainable.ENCODER, "bert-mlm-untied", 64),
        Arguments.of(Trainable.ENCODER, "bert-classify", 3),
        Arguments.of(Trainable.ENCODER, "roberta-mlm", 3),
        Arguments.of(Trainable.ENCODER, "distilbert-mlm", 3),
        Arguments.of(Trainable.ENCODER, "modernbert-mlm", 3),
        Arguments.of(Trainable.ENCODER, "deberta-v2-mlm-new-head", 3),
        Arguments.of(Trainable.DECODER, "decoders/gpt2", 3),
        Arguments.of(Trainable.DECODER, "decoders/gpt2", 64),
        Arguments.of(Trainable.DECODER, "decoders/gptj", 64),
        Arguments.of(Trainable.DECODER, "decoders/llama", 3),
        Arguments.of(Trainable.ENCODER_DECODER, "encoder-decoders/t5", 3),
        Arguments.of(Trainable.ENCODER_DECODER, "encoder-decoders/bart", 3),
        Arguments.of(Trainable.ENCODER_DECODER, "encoder-decoders/marian", 64));
  }

  @ParameterizedTest
  @MethodSource("models")
  void scores_of_the_tokens_before_are_the_same(Trainable kind, String golden, int more)
      throws IOException {
    Path folder = GOLDENS.resolve(golden);
    int before = Config.read(folder).positive("vocab_size");
    TrainingSettings grown = TrainingSettings.DEFAULT.withVocabulary(before + more);
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"))) {
      List<Trainable.Output> old;
      try (Model model = kind.forTraining(folder, CPU, TrainingSettings.DEFAULT)) {
        old = Trainable.outputs(model, expected);
      }
      List<Trainable.Output> now;
      try (Model model = kind.forTraining(folder, CPU, grown)) {
        now = Trainable.outputs(model, expected);
        compare(old, now, before, more);
        requireMeans(model, before, before + more);
        model.save(saved);
      }
      assertEquals(before + more, Config.read(saved).positive("vocab_size"));
      try (Model model = kind.load(saved, CPU)) {
        compare(now, Trainable.outputs(model, expected), before + more, 0);
      }
    }
  }

  private static void compare(
      List<Trainable.Output> old, List<Trainable.Output> now, int before, int more) {
    assertEquals(old.size(), now.size());
    for (int i = 0; i < old.size(); i++) {
      long[] shape = old.get(i).shape();
      long[] wanted = shape.clone();
      int last = (int) shape[shape.length - 1];
      boolean isOfTokens = last == before;
      wanted[shape.length - 1] += isOfTokens ? more : 0;
      assertArrayEquals(wanted, now.get(i).shape());
      int columns = (int) wanted[shape.length - 1];
      float[] all = now.get(i).values();
      float[] kept = new float[old.get(i).values().length];
      for (int row = 0; row < kept.length / last; row++) {
        System.arraycopy(all, row * columns, kept, row * last, last);
      }
      assertArrayEquals(old.get(i).values(), kept, 1e-5f);
      for (float value : all) {
        assertTrue(Float.isFinite(value));
      }
    }
  }

  /** What was added is the mean of what was there, in every parameter of tokens. */
  private static void requireMeans(Model model, int before, int after) {
    int found = 0;
    for (Parameter parameter : model.parameters()) {
      if (parameter.shape()[0] == after) {
        float[] values = parameter.tensor().toFloatArray();
        int columns = values.length / after;
        for (int j = 0; j < columns; j++) {
          double mean = 0;
          for (int i = 0; i < before; i++) {
            mean += (double) values[i * columns + j] / before;
          }
          assertEquals(mean, values[before * columns + j], 1e-5, parameter.name());
          assertEquals(mean, values[(after - 1) * columns + j], 1e-5, parameter.name());
        }
        found++;
      }
    }
    assertTrue(found > 0);
  }

  @Test
  void a_bias_of_tokens_grows_along() throws IOException {
    Path folder = GOLDENS.resolve("bert-mlm-untied");
    int after = Config.read(folder).positive("vocab_size") + 3;
    try (Model model =
        AutoModel.forTraining(folder, null, CPU, TrainingSettings.DEFAULT.withVocabulary(after))) {
      List<String> names =
          model.parameters().stream()
              .filter(p -> Arrays.equals(p.shape(), new long[] {after}))
              .map(Parameter::name)
              .toList();
      assertEquals(List.of("cls.predictions.decoder.bias"), names);
    }
  }

  @Test
  void a_vocabulary_does_not_shrink() {
    Path folder = GOLDENS.resolve("bert-mlm");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    AutoModel.forTraining(
                        folder, null, CPU, TrainingSettings.DEFAULT.withVocabulary(3)))
            .getMessage();
    assertTrue(message.contains("tokens, 3 are wanted, expected no fewer"), message);
  }
}
