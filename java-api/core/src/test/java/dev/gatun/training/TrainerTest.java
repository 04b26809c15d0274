package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.Philox;
import dev.gatun.models.LossCounts;
import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Draws;
import dev.gatun.training.data.Features;
import dev.gatun.training.data.Samples;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an update is a mean over, by what the schedule moves, and how runs end and go on. */
final class TrainerTest {
  static final int VOCABULARY = 12;

  @TempDir Path folder;

  /** Ragged texts, each another; the first token is the number of the sample. */
  static Samples texts(int count) {
    return new Samples() {
      @Override
      public int size() {
        return count;
      }

      @Override
      public Features get(int index, Draws draws) {
        int length = 2 + (int) (Philox.uniform(1, index, 0) * 9);
        return Features.ofText(
            LongStream.range(0, length)
                .map(i -> (long) (Philox.uniform(2, index, i) * VOCABULARY))
                .toArray());
      }
    };
  }

  static TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .learningRate(0.05)
        .perDeviceTrainBatchSize(2)
        .loggingSteps(1)
        .saveStrategy(TrainingArguments.Strategy.NO);
  }

  private static Trainer trainer(BigramLearner learner, TrainingArguments arguments, int samples) {
    return Trainer.builder(learner, arguments).samples(texts(samples), samples).build();
  }

  /** The gradient of one batch of all samples is that of these in parts, whatever their lengths. */
  @Test
  void an_update_is_the_mean_over_the_tokens_of_all_its_batches() {
    List<Features> all = IntStream.range(0, 6).mapToObj(i -> texts(6).get(i, null)).toList();
    Batch whole = new Batch(all);
    try (BigramLearner once = new BigramLearner(VOCABULARY, 0);
        BigramLearner parts = new BigramLearner(VOCABULARY, 0)) {
      LossCounts counts = once.counts(whole);
      double loss = once.accumulate(whole, counts, 0);
      double sum = 0;
      for (int i = 0; i < 6; i += 2) {
        sum += parts.accumulate(new Batch(all.subList(i, i + 2)), counts, 0);
      }
      assertEquals(loss, sum, 1e-12);
      assertArrayEquals(once.gradient(), parts.gradient(), 1e-12);
    }
    try (BigramLearner one = new BigramLearner(VOCABULARY, 0);
        BigramLearner three = new BigramLearner(VOCABULARY, 0)) {
      TrainingArguments large = arguments().perDeviceTrainBatchSize(6).numTrainEpochs(4).build();
      TrainingArguments small = arguments().gradientAccumulationSteps(3).numTrainEpochs(4).build();
      Trainer first = trainer(one, large, 6);
      Trainer second = trainer(three, small, 6);
      first.train();
      second.train();
      assertEquals(4, first.state().globalStep());
      assertEquals(4, second.state().globalStep());
      for (int i = 0; i < one.weights().length; i++) {
        assertEquals(one.weights()[i], three.weights()[i], 1e-6);
      }
      for (int i = 0; i < 4; i++) {
        assertEquals(
            (double) first.state().logHistory().get(i).get("loss"),
            (double) second.state().logHistory().get(i).get("loss"),
            1e-6);
      }
      assertEquals(1, new HashSet<>(three.items).size(), "each batch is told the update's tokens");
    }
  }

  /** Ten batches by four: updates of 4, 4 and 2, each a mean over its own tokens. */
  @Test
  void an_epoch_ends_with_what_is_left() {
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      TrainingArguments arguments =
          arguments().gradientAccumulationSteps(4).numTrainEpochs(2).build();
      Trainer trainer = trainer(learner, arguments, 20);
      trainer.train();
      assertEquals(6, trainer.state().globalStep());
      assertEquals(20, learner.items.size());
      int at = 0;
      int sample = 0;
      for (int batches : new int[] {4, 4, 2, 4, 4, 2}) {
        long tokens = 0;
        for (int i = 0; i < 2 * batches; i++) {
          tokens += learner.seen.get(sample++).length - 1;
        }
        for (int i = 0; i < batches; i++) {
          assertEquals(tokens, learner.items.get(at++).longValue());
        }
      }
      assertEquals(2.0, trainer.state().epoch());
    }
  }

  @Test
  void rates_depend_on_updates_alone() {
    List<List<Double>> rates = new ArrayList<>();
    for (int accumulation : new int[] {1, 2, 5}) {
      try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
        TrainingArguments arguments =
            arguments().gradientAccumulationSteps(accumulation).maxSteps(9).warmupSteps(3).build();
        trainer(learner, arguments, 20).train();
        rates.add(learner.rates);
      }
    }
    assertEquals(rates.get(0), rates.get(1));
    assertEquals(rates.get(0), rates.get(2));
    Schedule schedule = Schedule.linear(3, 9);
    for (int i = 0; i < 9; i++) {
      assertEquals(0.05 * schedule.factor(i), rates.get(0).get(i));
    }
  }

  /** An update that is skipped moves no schedule, and says why it was. */
  @Test
  void a_skipped_update_changes_nothing() {
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0);
        BigramLearner other = new BigramLearner(VOCABULARY, 0)) {
      learner.poisoned.add(3);
      TrainingArguments arguments = arguments().maxSteps(6).build();
      List<String> warnings = new ArrayList<>();
      List<StepReport> steps = new ArrayList<>();
      List<float[]> weights = new ArrayList<>();
      Trainer trainer =
          Trainer.builder(learner, arguments)
              .samples(texts(20), 1)
              .callback(
                  new TrainerCallback() {
                    @Override
                    public void onWarning(String message) {
                      warnings.add(message);
                    }

                    @Override
                    public void onStepEnd(
                        StepReport step, TrainerState state, TrainerControl control) {
                      steps.add(step);
                      weights.add(learner.weights());
                    }
                  })
              .build();
      trainer.train();
      trainer(other, arguments, 20).train();
      assertEquals(other.rates.subList(0, 5), learner.rates);
      assertEquals(5, trainer.state().updates());
      assertEquals(6, trainer.state().globalStep());
      assertArrayEquals(weights.get(1), weights.get(2));
      assertTrue(steps.get(2).skipped());
      assertEquals(
          List.of(
              "step 3: the gradient of 'table.bias' is not finite; the update is skipped, weights"
                  + " and schedule stay; the run ends after 8 in a row, this is 1"),
          warnings);
      assertTrue(
          trainer.state().logHistory().stream()
              .flatMap(entry -> entry.values().stream())
              .allMatch(v -> Double.isFinite(((Number) v).doubleValue())));
    }
  }

  @Test
  void updates_that_stay_not_finite_end_the_run() {
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      IntStream.rangeClosed(5, 20).forEach(learner.poisoned::add);
      TrainingArguments arguments = arguments().maxSteps(20).maxSkippedSteps(3).build();
      String message =
          assertThrows(TrainingException.class, trainer(learner, arguments, 20)::train)
              .getMessage();
      assertTrue(
          message.startsWith(
              "step 7: the gradient of 'table.bias' is not finite, as in all of the last 3 updates;"
                  + " the weights are those of update 4; there is no checkpoint"),
          message);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void a_weight_that_is_not_finite_is_named(float bad) {
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      learner.bias(1, bad);
      // Finite, though the sum of its squares is not.
      learner.parameters().getFirst().write(filled(VOCABULARY * VOCABULARY, 1e30f));
      TrainingArguments arguments = arguments().maxSteps(20).maxSkippedSteps(2).build();
      String message =
          assertThrows(TrainingException.class, trainer(learner, arguments, 20)::train)
              .getMessage();
      assertEquals(
          "step 2: the loss is NaN, as the weight 'table.bias' is not finite, as in all of the last"
              + " 2 updates; the weights are those of update 0; there is no checkpoint. No setting"
              + " helps: begin with weights that are finite",
          message);
    }
  }

  private static float[] filled(int count, float number) {
    float[] numbers = new float[count];
    Arrays.fill(numbers, number);
    return numbers;
  }

  @Test
  void bad_samples_are_named_by_their_step() {
    Samples bad =
        new Samples() {
          @Override
          public int size() {
            return 4;
          }

          @Override
          public Features get(int index, Draws draws) {
            return index == 0 ? Features.ofText(1, 99) : texts(4).get(index, draws);
          }
        };
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      Trainer trainer = Trainer.builder(learner, arguments().build()).samples(bad, 1).build();
      String message = assertThrows(IllegalArgumentException.class, trainer::train).getMessage();
      assertTrue(message.matches("step [12]: embedding: id 99 is outside of 0 to 11"), message);
      assertTrue(java.util.Arrays.stream(learner.gradient()).allMatch(g -> g == 0));
      Samples ignored =
          new Samples() {
            @Override
            public int size() {
              return 3;
            }

            @Override
            public Features get(int index, Draws draws) {
              return Features.ofTokens(new long[] {1, 2}, null, -100, -100);
            }
          };
      assertEquals(
          "step 1: none of the labels of its 2 samples counts, expected one that is not -100",
          assertThrows(
                  TrainingException.class,
                  Trainer.builder(learner, arguments().build()).samples(ignored, 1).build()::train)
              .getMessage());
      learner.parameters().forEach(parameter -> parameter.setTrainable(false));
      assertEquals(
          "training: all 2 parameters are frozen, expected one that is trained",
          assertThrows(
                  IllegalArgumentException.class, () -> trainer(learner, arguments().build(), 4))
              .getMessage());
    }
  }

  /** After a resume in the second epoch the third still has each sample once. */
  @Test
  void a_resumed_run_sees_each_sample_once_an_epoch() {
    TrainingArguments arguments =
        arguments()
            .outputDir(folder)
            .numTrainEpochs(3)
            .gradientAccumulationSteps(3)
            .saveStrategy(TrainingArguments.Strategy.STEPS)
            .saveSteps(5)
            .build();
    try (BigramLearner whole = new BigramLearner(VOCABULARY, 0.1);
        BigramLearner first = new BigramLearner(VOCABULARY, 0.1);
        BigramLearner rest = new BigramLearner(VOCABULARY, 0.1)) {
      TrainingArguments uninterrupted =
          arguments().numTrainEpochs(3).gradientAccumulationSteps(3).build();
      Trainer reference = trainer(whole, uninterrupted, 21);
      reference.train();
      Trainer stopped =
          Trainer.builder(first, arguments).samples(texts(21), 21).callback(stopAfter(5)).build();
      stopped.train();
      Trainer resumed = trainer(rest, arguments, 21);
      assertTrue(resumed.resumeLatest());
      assertEquals(5, resumed.state().globalStep());
      resumed.train();
      List<long[]> seen = new ArrayList<>(first.seen);
      seen.addAll(rest.seen);
      assertEquals(63, seen.size());
      for (int i = 0; i < 63; i++) {
        assertArrayEquals(whole.seen.get(i), seen.get(i));
      }
      for (int epoch = 0; epoch < 3; epoch++) {
        Set<List<Long>> texts = new HashSet<>();
        for (long[] ids : seen.subList(21 * epoch, 21 * epoch + 21)) {
          texts.add(LongStream.of(ids).boxed().toList());
        }
        long distinct =
            IntStream.range(0, 21)
                .mapToObj(i -> LongStream.of(texts(21).get(i, null).inputIds()).boxed().toList())
                .distinct()
                .count();
        assertEquals(distinct, texts.size());
      }
      assertArrayEquals(whole.weights(), rest.weights());
      assertEquals(reference.state().logHistory(), resumed.state().logHistory());
    }
  }

  static TrainerCallback stopAfter(long step) {
    return new TrainerCallback() {
      @Override
      public void onStepEnd(StepReport report, TrainerState state, TrainerControl control) {
        if (report.step() == step) {
          control.stop();
        }
      }
    };
  }

  /** 100 updates after the optimiser was written and read are those of a run without a break. */
  @Test
  void the_optimiser_goes_on_as_it_was() {
    TrainingArguments.Builder settings =
        arguments().maxSteps(150).lrSchedulerType(Schedule.Type.COSINE);
    try (BigramLearner whole = new BigramLearner(VOCABULARY, 0.1);
        BigramLearner first = new BigramLearner(VOCABULARY, 0.1);
        BigramLearner rest = new BigramLearner(VOCABULARY, 0.1)) {
      trainer(whole, settings.build(), 20).train();
      TrainingArguments saved =
          settings.outputDir(folder).saveStrategy(TrainingArguments.Strategy.STEPS).build();
      Trainer.builder(first, saved).samples(texts(20), 20).callback(stopAfter(50)).build().train();
      Trainer resumed = trainer(rest, saved, 20);
      assertTrue(resumed.resumeLatest());
      resumed.train();
      assertEquals(100, rest.rates.size());
      assertArrayEquals(whole.weights(), rest.weights());
    }
  }

  @Test
  void evaluations_compare_keep_and_end() throws Exception {
    TrainingArguments arguments =
        arguments()
            .outputDir(folder)
            .learningRate(0.5)
            .maxSteps(60)
            .evalStrategy(TrainingArguments.Strategy.STEPS)
            .evalSteps(2)
            .saveStrategy(TrainingArguments.Strategy.STEPS)
            .saveSteps(2)
            .saveTotalLimit(2)
            .loadBestModelAtEnd(true)
            .build();
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      Trainer trainer =
          Trainer.builder(learner, arguments)
              .samples(texts(20), 20)
              .evaluation(texts(40))
              .callback(new EarlyStopping(arguments, 3, 0))
              .build();
      TrainingResult result = trainer.train();
      List<Map<String, Object>> evaluations =
          trainer.state().logHistory().stream().filter(e -> e.containsKey("eval_loss")).toList();
      double best =
          evaluations.stream().mapToDouble(e -> (double) e.get("eval_loss")).min().orElseThrow();
      long at =
          (long)
              evaluations.stream()
                  .filter(e -> (double) e.get("eval_loss") == best)
                  .findFirst()
                  .orElseThrow()
                  .get("step");
      assertTrue(result.globalStep() < 60, "an early stop");
      assertEquals(at + 6, result.globalStep());
      assertEquals(best, trainer.state().bestMetric());
      assertEquals(folder.resolve("checkpoint-" + at).toString(), result.bestModelCheckpoint());
      assertEquals(best, (double) trainer.evaluate(texts(40)).get("eval_loss"), 1e-9);
      try (var entries = Files.list(folder)) {
        assertEquals(
            Set.of("checkpoint-" + at, "checkpoint-" + (at + 6), "log.jsonl", "loss.svg"),
            new HashSet<>(entries.map(e -> e.getFileName().toString()).toList()));
      }
      String plot = Files.readString(folder.resolve("loss.svg"));
      assertTrue(plot.startsWith("<svg ") && plot.contains("eval_loss"), plot);
      javax.xml.parsers.DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(folder.resolve("loss.svg").toFile());
      assertEquals(
          trainer.state().logHistory().size(),
          Files.readAllLines(folder.resolve("log.jsonl")).size());
    }
  }

  @Test
  void early_stopping_counts_on_from_what_it_was() {
    TrainingArguments arguments =
        arguments().evalStrategy(TrainingArguments.Strategy.STEPS).evalSteps(2).build();
    EarlyStopping first = new EarlyStopping(arguments, 2, 0.25);
    TrainerControl control = new TrainerControl();
    first.onEvaluate(Map.of("eval_loss", 1.0), null, control);
    // Better by the threshold is not better.
    first.onEvaluate(Map.of("eval_loss", 0.75), null, control);
    assertFalse(control.stops());
    EarlyStopping rest = new EarlyStopping(arguments, 2, 0.25);
    rest.restore(first.state());
    rest.onEvaluate(Map.of("eval_loss", 0.8), null, control);
    assertTrue(control.stops(), "two evaluations, one of them before the run went on");
    EarlyStopping better = new EarlyStopping(arguments, 2, 0.25);
    TrainerControl goesOn = new TrainerControl();
    better.restore(first.state());
    better.onEvaluate(Map.of("eval_loss", 0.5), null, goesOn);
    better.onEvaluate(Map.of("eval_loss", 0.625), null, goesOn);
    assertFalse(goesOn.stops(), "one evaluation since the best one");
  }

  @Test
  void a_first_evaluation_that_is_no_number_is_not_the_best() {
    TrainingArguments arguments =
        arguments().evalStrategy(TrainingArguments.Strategy.STEPS).evalSteps(2).build();
    EarlyStopping rule = new EarlyStopping(arguments, 2, 0);
    TrainerControl control = new TrainerControl();
    for (double loss : new double[] {Double.NaN, 3, 4, 2, Double.NaN}) {
      rule.onEvaluate(Map.of("eval_loss", loss), null, control);
      assertFalse(control.stops(), "at " + loss);
    }
    rule.onEvaluate(Map.of("eval_loss", 2.0), null, control);
    assertTrue(control.stops());
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      double[] losses = {Double.NaN, 3, 4, Double.NaN, 2};
      int[] seen = {0};
      Learner told =
          (Learner)
              java.lang.reflect.Proxy.newProxyInstance(
                  Learner.class.getClassLoader(),
                  new Class<?>[] {Learner.class},
                  (proxy, method, given) ->
                      method.getName().equals("evaluate")
                          ? new Learner.Evaluation(losses[seen[0]++], 1, -1)
                          : method.invoke(learner, given));
      Trainer trainer =
          Trainer.builder(
                  told,
                  arguments()
                      .maxSteps(5)
                      .evalStrategy(TrainingArguments.Strategy.STEPS)
                      .evalSteps(1)
                      .build())
              .samples(texts(4), 4)
              .evaluation(texts(1))
              .build();
      trainer.train();
      assertEquals(2, trainer.state().bestMetric());
    }
  }

  @Test
  void a_run_in_the_folder_of_an_earlier_one_keeps_its_own_checkpoints() throws Exception {
    TrainingArguments.Builder settings =
        arguments()
            .outputDir(folder)
            .saveStrategy(TrainingArguments.Strategy.STEPS)
            .saveSteps(2)
            .saveTotalLimit(2);
    List<String> warnings = new ArrayList<>();
    TrainerCallback listener =
        new TrainerCallback() {
          @Override
          public void onWarning(String message) {
            warnings.add(message);
          }
        };
    for (int steps : new int[] {8, 4}) {
      try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
        Trainer.builder(learner, settings.maxSteps(steps).build())
            .samples(texts(20), 20)
            .callback(listener)
            .build()
            .train();
      }
    }
    assertEquals(
        List.of(
            folder.resolve("checkpoint-8")
                + ": is of an earlier run, which a resume would go on with; this one begins anew"),
        warnings);
    try (var entries = Files.list(folder)) {
      assertEquals(
          Set.of("checkpoint-2", "checkpoint-4", "log.jsonl", "loss.svg"),
          new HashSet<>(entries.map(e -> e.getFileName().toString()).toList()));
    }
  }

  @Test
  void evaluations_are_as_often_as_lines_of_the_log_where_nothing_else_is_said() {
    assertEquals(500, TrainingArguments.builder().build().evalSteps());
    assertEquals(20, TrainingArguments.builder().loggingSteps(20).build().evalSteps());
    assertEquals(7, TrainingArguments.builder().evalSteps(7).loggingSteps(20).build().evalSteps());
    assertThrows(
        IllegalArgumentException.class, () -> TrainingArguments.builder().evalSteps(0).build());
  }

  @Test
  void settings_that_do_not_fit_are_named() {
    assertEquals(
        "training: learning_rate is 0.0, expected above 0",
        assertThrows(IllegalArgumentException.class, () -> arguments().learningRate(0).build())
            .getMessage());
    assertEquals(
        "training: max_steps is 0, expected -1 or at least 1",
        assertThrows(IllegalArgumentException.class, () -> arguments().maxSteps(0).build())
            .getMessage());
    assertTrue(
        assertThrows(
                IllegalArgumentException.class, () -> arguments().loadBestModelAtEnd(true).build())
            .getMessage()
            .contains("expected a save_strategy that is the eval_strategy"));
    try (BigramLearner learner = new BigramLearner(VOCABULARY, 0)) {
      TrainingArguments evaluates =
          arguments().evalStrategy(TrainingArguments.Strategy.EPOCH).build();
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> trainer(learner, evaluates, 4))
              .getMessage()
              .contains("there is no data for them"));
      TrainingArguments metric =
          arguments()
              .evalStrategy(TrainingArguments.Strategy.EPOCH)
              .metricForBestModel("f1")
              .build();
      Trainer trainer =
          Trainer.builder(learner, metric).samples(texts(4), 4).evaluation(texts(4)).build();
      assertTrue(
          assertThrows(IllegalArgumentException.class, trainer::train)
              .getMessage()
              .contains("metric_for_best_model is 'f1', expected one of [eval_loss]"));
    }
    assertNull(arguments().build().greaterIsBetter());
    assertFalse(arguments().build().isBetter(2, 1));
    assertTrue(arguments().metricForBestModel("accuracy").build().isBetter(2, 1));
  }
}
