package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Features;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Twenty updates of small models give the losses, norms and weights of transformers and torch. */
final class TrainingRunsTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");
  private static final int STEPS = 20;
  private static final double RATE = 5e-3;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private static long[] row(TensorFile golden, String name, int row) {
    if (!golden.names().contains(name)) {
      return null;
    }
    TensorFile.Entry entry = golden.get(name);
    int width = (int) entry.shape()[1];
    long[] all = entry.data().toArray(LONG);
    return Arrays.copyOfRange(all, row * width, (row + 1) * width);
  }

  /** A batch without its padding, which is at the right. */
  private static Batch batch(TensorFile golden, String prefix, boolean pairs) {
    List<Features> rows = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int length = (int) Arrays.stream(row(golden, prefix + "attention_mask", i)).sum();
      long[] ids = Arrays.copyOf(row(golden, prefix + "input_ids", i), length);
      long[] types = row(golden, prefix + "token_type_ids", i);
      long[] labels = row(golden, prefix + "labels", i);
      rows.add(
          pairs
              ? Features.ofPair(ids, labels)
              : Features.ofTokens(
                  ids,
                  types == null ? null : Arrays.copyOf(types, length),
                  Arrays.copyOf(labels, length)));
    }
    return new Batch(rows);
  }

  private static Model model(Path folder) throws IOException {
    Device cpu = Device.cpu();
    return switch (folder.getParent().getFileName().toString()) {
      case "decoders" -> AutoModel.causalLmForTraining(folder, cpu, TrainingSettings.DEFAULT);
      case "encoder-decoders" ->
          AutoModel.seq2SeqLmForTraining(folder, cpu, TrainingSettings.DEFAULT);
      default -> AutoModel.forTraining(folder, null, cpu);
    };
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-mlm",
        "decoders/gpt2",
        "decoders/llama-gqa",
        "decoders/mixtral",
        "encoder-decoders/t5",
        "encoder-decoders/bart"
      })
  void updates_are_those_of_torch(String path) throws Exception {
    Path folder = GOLDENS.resolve(path);
    String name = folder.getFileName().toString();
    TrainingArguments arguments =
        TrainingArguments.builder().learningRate(RATE).weightDecay(0.01).build();
    Schedule schedule = Schedule.linear(3, STEPS);
    try (TensorFile golden =
            TensorFile.open(GOLDENS.resolve("training-runs/expected.safetensors"));
        ModelLearner learner = new ModelLearner(model(folder), arguments)) {
      float[] losses = golden.get("out." + name + ".loss").data().toArray(FLOAT);
      float[] norms = golden.get("out." + name + ".grad_norm").data().toArray(FLOAT);
      assertEquals(STEPS, losses.length);
      for (int step = 0; step < STEPS; step++) {
        String prefix = "in.%s.%d.".formatted(name, step % 4);
        Batch batch = batch(golden, prefix, path.startsWith("encoder-"));
        double loss = learner.accumulate(batch, learner.counts(batch), 0);
        Learner.Update update = learner.update(RATE * schedule.factor(step), 1);
        String at = name + " step " + step;
        assertEquals(null, update.nonFinite(), at);
        assertEquals(losses[step], loss, 1e-4 * losses[step], at + ": loss");
        assertEquals(norms[step], update.gradNorm(), 1e-3 * norms[step], at + ": norm");
      }
      String weight =
          golden.names().stream()
              .filter(each -> each.startsWith("out." + name + ".weight."))
              .findFirst()
              .orElseThrow();
      String of = weight.substring(("out." + name + ".weight.").length());
      Parameter parameter =
          learner.parameters().stream().filter(p -> p.name().equals(of)).findFirst().orElseThrow();
      float[] expected = golden.get(weight).data().toArray(FLOAT);
      float[] got = parameter.tensor().toFloatArray();
      double worst = 0;
      for (int i = 0; i < expected.length; i++) {
        worst = Math.max(worst, Math.abs(expected[i] - got[i]));
      }
      assertTrue(worst < 1e-3, "%s: %s is off by %s".formatted(name, of, worst));
    }
  }

  @Test
  void experts_of_switch_without_tokens_stay_as_they_are() throws Exception {
    ObjectMapper json = new ObjectMapper();
    TrainingArguments arguments =
        TrainingArguments.builder().weightDecay(0.1).adamEpsilon(1e-3).build();
    try (ModelLearner learner =
        new ModelLearner(model(GOLDENS.resolve("encoder-decoders/switch")), arguments)) {
      for (JsonNode step : json.readTree(GOLDENS.resolve("switch-updates.json").toFile())) {
        long[] source = json.convertValue(step.get(0), long[].class);
        long[] labels = json.convertValue(step.get(1), long[].class);
        Batch batch = new Batch(List.of(Features.ofPair(source, labels)));
        double loss = learner.accumulate(batch, learner.counts(batch), 0);
        assertEquals(step.get(2).doubleValue(), loss, 1e-4 * loss);
        learner.update(1e-2, 1);
      }
    }
  }
}
