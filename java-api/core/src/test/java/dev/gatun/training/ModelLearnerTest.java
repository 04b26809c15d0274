package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.LossCounts;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Features;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models under optimisers: what they learn and hold, in F32 and with products of BF16. */
final class ModelLearnerTest {
  private static final Path GPT2 = Path.of("../../test/goldens/decoders/gpt2");
  private static final Device CPU = Device.cpu();

  @TempDir Path folder;

  private static ModelLearner learner(DType products) throws IOException {
    return learner(products, TrainingArguments.builder().build());
  }

  private static ModelLearner learner(DType products, TrainingArguments arguments)
      throws IOException {
    return new ModelLearner(
        AutoModel.causalLmForTraining(GPT2, CPU, TrainingSettings.DEFAULT.withProducts(products)),
        arguments);
  }

  /** Eight texts, all of other lengths, and no two of which begin alike. */
  private static Batch texts() {
    List<Features> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      long[] ids = new long[5 + i];
      for (int j = 0; j < ids.length; j++) {
        ids[j] = 5 + (13L * i + 7L * j * (i + 1)) % 90;
      }
      all.add(Features.ofText(ids));
    }
    return new Batch(all);
  }

  private static List<Double> losses(ModelLearner learner, int steps, double rate) {
    Batch batch = texts();
    LossCounts counts = learner.counts(batch);
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      losses.add(learner.accumulate(batch, counts, step));
      assertEquals(null, learner.update(rate, 1).nonFinite());
    }
    return losses;
  }

  @Test
  void eight_texts_are_learned_by_heart() throws IOException {
    try (ModelLearner learner = learner(DType.F32)) {
      List<Double> losses = losses(learner, 150, 5e-3);
      // The first tokens of texts tell all others.
      assertTrue(losses.getFirst() > 3, "begins at " + losses.getFirst());
      assertTrue(losses.getLast() < 0.05, "ends at " + losses.getLast());
    }
  }

  @Test
  void what_nothing_could_be_learned_from_is_refused() throws IOException {
    Batch batch = new Batch(List.of(Features.ofTokens(new long[] {3, 4}, null, -100, -100)));
    try (ModelLearner learner = learner(DType.F32)) {
      LossCounts counts = learner.counts(batch);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> learner.accumulate(batch, counts, 0));
      assertEquals(
          "labels: none of the update's counts, expected one that is not -100", e.getMessage());
      learner.parameters().forEach(parameter -> parameter.setTrainable(false));
      IllegalArgumentException frozen =
          assertThrows(
              IllegalArgumentException.class,
              () -> new ModelLearner(learner.model(), TrainingArguments.builder().build()));
      assertTrue(frozen.getMessage().contains("parameters are frozen"), frozen.getMessage());
    }
  }

  /** A loss times a power of two has the same gradients to the bit once they are scaled back. */
  @Test
  void scaled_losses_change_nothing_but_where_gradients_are_not_finite() throws IOException {
    TrainingArguments fp16 = TrainingArguments.builder().fp16(true).build();
    Path file = folder.resolve("optimizer.safetensors");
    try (ModelLearner plain = learner(DType.F16);
        ModelLearner scaled = learner(DType.F16, fp16);
        ModelLearner next = learner(DType.F16, fp16)) {
      assertEquals(losses(plain, 10, 5e-3), losses(scaled, 10, 5e-3));
      assertArrayEquals(weights(plain), weights(scaled));
      scaled.save(folder);
      scaled.saveOptimizer(file);
      next.restore(folder, file);
      assertEquals(losses(plain, 3, 5e-3), losses(next, 3, 5e-3));
      Parameter norm =
          scaled.parameters().stream()
              .filter(p -> p.name().endsWith("ln_f.bias"))
              .findFirst()
              .get();
      float[] large = norm.tensor().toFloatArray();
      // A product of 3e38 and more than 1 is no number.
      large[0] = 3e38f;
      norm.write(large);
      Batch batch = texts();
      double loss = scaled.accumulate(batch, scaled.counts(batch), 0);
      assertTrue(!Double.isFinite(loss) || scaled.update(1, 1).nonFinite() != null);
    }
  }

  /** As torch's GradScaler: halved by an update that is skipped, doubled after 2,000 in a row. */
  @Test
  void the_scale_follows_the_gradients() {
    LossScale scale = new LossScale(true);
    assertEquals(65_536, scale.factor());
    scale.after(false);
    assertEquals(32_768, scale.factor());
    for (int i = 0; i < 1_999; i++) {
      scale.after(true);
    }
    assertEquals(32_768, scale.factor());
    Map<String, String> saved = new HashMap<>();
    scale.save(saved);
    LossScale next = new LossScale(true);
    next.restore(saved);
    next.after(true);
    assertEquals(65_536, next.factor());
    LossScale none = new LossScale(false);
    none.after(false);
    assertEquals(1, none.factor());
  }

  /** Each optimiser lowers the loss, and goes on from its own checkpoint with the same bits. */
  @ParameterizedTest
  @CsvSource({
    "adamw_torch, '', 5e-3",
    "adamw_torch_fused, '', 5e-3",
    "adafactor, '', 5e-2",
    "sgd, '', 5e-1",
    "sgd, 'momentum=0.5, nesterov=True', 2e-1",
    "adagrad, lr_decay=0.01, 5e-2",
    "rmsprop, 'alpha=0.9,centered=yes', 1e-3"
  })
  void every_optimiser_learns_and_is_kept(String optim, String optimArgs, double rate)
      throws IOException {
    TrainingArguments arguments =
        TrainingArguments.builder().optim(OptimizerType.of(optim)).optimArgs(optimArgs).build();
    try (ModelLearner first = learner(DType.F32, arguments);
        ModelLearner next = learner(DType.F32, arguments)) {
      List<Double> losses = losses(first, 20, rate);
      assertTrue(losses.getLast() < 0.9 * losses.getFirst(), losses.toString());
      first.save(folder);
      first.saveOptimizer(folder.resolve("optimizer.safetensors"));
      next.restore(folder, folder.resolve("optimizer.safetensors"));
      assertEquals(losses(first, 3, rate), losses(next, 3, rate));
      assertArrayEquals(weights(first), weights(next));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "adamw_torch, beta1=0.5, 'has beta1, expected none for adamw_torch'",
    "adafactor, eps=1, 'has eps, expected none for adafactor'",
    "sgd, eps=1, 'has eps, expected of sgd only momentum, dampening, nesterov'",
    "sgd, momentum, 'has ''momentum'', expected NAME=VALUE'",
    "sgd, 'momentum=0.5,', 'has '''', expected NAME=VALUE'",
    "sgd, 'momentum=0.5,momentum=0.6', 'has momentum twice, expected it once'",
    "sgd, momentum=much, 'has momentum=much, expected a number'",
    "sgd, nesterov=perhaps, 'has nesterov=perhaps, expected true or false'",
    "sgd, nesterov=true, Nesterov's momentum is asked for with momentum 0.0",
    "rmsprop, alpha=2, 'alpha is 2.0, expected 0 to below 1'",
    "adagrad, lr_decay=NaN, 'rate decay is NaN, expected 0 or a positive number'",
  })
  void arguments_of_an_optimiser_that_do_not_fit_are_refused(
      String optim, String optimArgs, String message) {
    TrainingArguments.Builder builder =
        TrainingArguments.builder().optim(OptimizerType.of(optim)).optimArgs(optimArgs);
    String got = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    assertTrue(got.contains(message), got);
  }

  @Test
  void a_checkpoint_of_another_optimiser_is_refused() throws IOException {
    TrainingArguments sgd = TrainingArguments.builder().optim(OptimizerType.SGD).build();
    try (ModelLearner first = learner(DType.F32);
        ModelLearner next = learner(DType.F32, sgd)) {
      first.save(folder);
      first.saveOptimizer(folder.resolve("optimizer.safetensors"));
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> next.restore(folder, folder.resolve("optimizer.safetensors")))
              .getMessage()
              .endsWith("is none of this optimiser's"));
    }
  }

  @Test
  void what_is_held_stays_the_same_over_a_thousand_steps() throws IOException {
    try (ModelLearner learner = learner(DType.F32)) {
      losses(learner, 2, 1e-4);
      long held = CPU.memory().allocatedBytes();
      losses(learner, 998, 1e-4);
      assertEquals(held, CPU.memory().allocatedBytes());
    }
  }

  @Test
  void a_hundred_learners_leave_nothing() throws IOException {
    long held = CPU.memory().allocatedBytes();
    for (int i = 0; i < 100; i++) {
      try (ModelLearner learner = learner(DType.F32)) {
        losses(learner, 1, 1e-4);
      }
    }
    assertEquals(held, CPU.memory().allocatedBytes());
  }

  private static float[] weights(ModelLearner learner) {
    float[] all = new float[0];
    for (Parameter parameter : learner.parameters()) {
      float[] more = parameter.tensor().toFloatArray();
      float[] both = Arrays.copyOf(all, all.length + more.length);
      System.arraycopy(more, 0, both, all.length, more.length);
      all = both;
    }
    return all;
  }

  private static double off(float[] a, float[] b) {
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      squares += (a[i] - b[i]) * (double) (a[i] - b[i]);
    }
    return Math.sqrt(squares);
  }

  /** Products read weights as BF16, whose F32 numbers move by steps far smaller than a BF16's. */
  @Test
  void products_of_bf16_learn_as_those_of_f32() throws IOException {
    try (ModelLearner wide = learner(DType.F32);
        ModelLearner narrow = learner(DType.BF16)) {
      List<Double> expected = losses(wide, 40, 2e-3);
      List<Double> got = losses(narrow, 40, 2e-3);
      for (int i = 0; i < expected.size(); i++) {
        assertEquals(expected.get(i), got.get(i), 0.02 * expected.getFirst(), "step " + i);
      }
    }
    try (ModelLearner wide = learner(DType.F32);
        ModelLearner narrow = learner(DType.BF16)) {
      float[] begin = weights(wide);
      losses(wide, 100, 1e-5);
      losses(narrow, 100, 1e-5);
      double moved = off(begin, weights(wide));
      assertEquals(moved, off(begin, weights(narrow)), 0.05 * moved);
      assertTrue(off(weights(wide), weights(narrow)) < 0.5 * moved);
    }
  }

  @Test
  void labels_outside_of_the_vocabulary_and_numbers_that_are_none_are_told() throws IOException {
    try (ModelLearner learner = learner(DType.F32)) {
      Batch bad =
          new Batch(
              List.of(Features.ofTokens(new long[] {5, 6, 7}, null, new long[] {5, 9999, 7})));
      LossCounts counts = learner.counts(bad);
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> learner.accumulate(bad, counts, 0))
              .getMessage()
              .startsWith("cross_entropy: target 9999 at 0 is outside of 0 to "));
      float[] before = weights(learner);
      Parameter one = learner.parameters().getLast();
      float[] numbers = one.tensor().toFloatArray();
      float kept = numbers[0];
      numbers[0] = Float.NaN;
      one.write(numbers);
      Batch batch = texts();
      assertTrue(Double.isNaN(learner.accumulate(batch, learner.counts(batch), 0)));
      String named = learner.update(1e-3, 1).nonFinite();
      assertTrue(learner.parameters().stream().anyMatch(each -> each.name().equals(named)), named);
      numbers[0] = kept;
      one.write(numbers);
      assertEquals(0, off(before, weights(learner)));
    }
  }
}
