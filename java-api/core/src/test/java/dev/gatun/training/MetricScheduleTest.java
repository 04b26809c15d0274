package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.models.AutoModel;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.training.TrainingArguments.Strategy;
import dev.gatun.training.data.Batch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rates that follow evaluations are those of torch and transformers, also after a resume. */
final class MetricScheduleTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Schedule.Type PLATEAU = Schedule.Type.REDUCE_LR_ON_PLATEAU;
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  @TempDir Path folder;

  /** To the bit, and so after each evaluation by one that goes on from what a file has of it. */
  @Test
  void rates_are_those_of_torch_and_transformers() throws Exception {
    JsonNode golden =
        JSON.readTree(Path.of("../../test/goldens/schedules/schedules.json").toFile());
    Set<Schedule.Type> types = new HashSet<>();
    Set<String> arguments = new HashSet<>();
    for (JsonNode each : golden.get("following")) {
      Schedule.Type type = Schedule.Type.of(each.get("lr_scheduler_type").asText());
      Map<String, Object> kwargs = JSON.convertValue(each.get("lr_scheduler_kwargs"), OBJECT);
      types.add(type);
      kwargs.keySet().forEach(name -> arguments.add(type + " " + name));
      Map<Integer, List<Double>> changes = new HashMap<>();
      for (JsonNode change : each.get("rates")) {
        changes.put(
            change.get(0).asInt(), JSON.convertValue(change.get(1), new TypeReference<>() {}));
      }
      MetricSchedule schedule = MetricSchedule.of(type, kwargs, changes.get(0));
      List<Double> expected = changes.get(0);
      for (int i = 0; i < golden.get("metrics").size(); i++) {
        assertEquals(expected, schedule.rates(), type + " " + kwargs + " after " + i);
        MetricSchedule goesOn = MetricSchedule.of(type, kwargs, List.of(1.0, 1.0));
        goesOn.restore("file", JSON.readValue(JSON.writeValueAsBytes(schedule.state()), OBJECT));
        assertEquals(schedule.state(), goesOn.state());
        schedule = goesOn;
        JsonNode metric = golden.get("metrics").get(i);
        schedule.step(metric.isNull() ? Double.NaN : metric.asDouble());
        expected = changes.getOrDefault(i + 1, expected);
      }
      assertEquals(expected, schedule.rates(), type + " " + kwargs);
    }
    for (Schedule.Type type : Schedule.Type.values()) {
      assertEquals(type.followsEvaluations(), types.contains(type), type.key());
      for (String name : type.followsEvaluations() ? type.arguments() : List.<String>of()) {
        assertTrue(arguments.contains(type + " " + name), type + " " + name);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear | mode | \"min\" | has mode, expected none for linear",
        "reduce_lr_on_plateau | warmup | 1 | has warmup, expected of reduce_lr_on_plateau only"
            + " mode,",
        "reduce_lr_on_plateau | mode | \"least\" | has mode=least, expected min or max",
        "reduce_lr_on_plateau | threshold_mode | \"x\" | has threshold_mode=x, expected rel or abs",
        "reduce_lr_on_plateau | factor | 1 | has factor=1, expected at least 0 and below 1",
        "reduce_lr_on_plateau | patience | -1 | has patience=-1, expected a whole number from 0 on",
        "reduce_lr_on_plateau | cooldown | 0.5 | has cooldown=0.5, expected a whole number",
        "reduce_lr_on_plateau | min_lr | -1 | has min_lr=-1, expected at least 0",
        "reduce_lr_on_plateau | min_lr | [0, \"a\"] | has min_lr=a, expected a number",
        "reduce_lr_on_plateau | eps | -1 | has eps=-1, expected at least 0",
        "greedy | verbose | true | has verbose, expected of greedy only mode, factor,",
        "greedy | factor | 0 | has factor=0, expected above 0 and below 1",
        "greedy | smooth | 1 | has smooth=1, expected true or false",
        "greedy | window_size | 0 | has window_size=0, expected a whole number from 1 on",
        "greedy | max_lr | \"1\" | has max_lr=1, expected a number",
      })
  void arguments_that_do_not_fit_are_named(String type, String name, String value, String message)
      throws Exception {
    Map<String, Object> kwargs = new HashMap<>();
    kwargs.put(name, JSON.readValue(value, Object.class));
    TrainingArguments.Builder settings =
        evaluated().lrSchedulerType(Schedule.Type.of(type)).lrSchedulerKwargs(kwargs);
    String said = assertThrows(IllegalArgumentException.class, settings::build).getMessage();
    assertTrue(said.startsWith("training: lr_scheduler_kwargs " + message), said);
  }

  @Test
  void what_does_not_fit_together_is_named() {
    assertEquals(
        "training: lr_scheduler_type is reduce_lr_on_plateau, expected an eval_strategy, steps or"
            + " epoch, and data to evaluate on: its rate follows evaluations",
        assertThrows(
                IllegalArgumentException.class,
                TrainerTest.arguments().lrSchedulerType(PLATEAU)::build)
            .getMessage());
    assertEquals(
        "schedule: greedy follows evaluations, expected one that updates alone tell",
        assertThrows(
                IllegalArgumentException.class,
                () -> Schedule.of(Schedule.Type.GREEDY, Map.of(), 0, 9, 1))
            .getMessage());
    TrainingArguments three =
        evaluated()
            .lrSchedulerType(PLATEAU)
            .lrSchedulerKwargs(Map.of("min_lr", List.of(1, 2, 3)))
            .build();
    try (BigramLearner learner = new BigramLearner(TrainerTest.VOCABULARY, 0)) {
      assertEquals(
          "training: lr_scheduler_kwargs has min_lr=[1, 2, 3], expected a number or one of each of"
              + " the 1 groups of parameters",
          assertThrows(IllegalArgumentException.class, () -> trainer(learner, three)).getMessage());
    }
  }

  private static TrainingArguments.Builder evaluated() {
    return TrainerTest.arguments().maxSteps(24).evalStrategy(Strategy.STEPS).evalSteps(2);
  }

  /** Rates that fall by and by. */
  private static TrainingArguments.Builder falling(Schedule.Type type) {
    return evaluated()
        .lrSchedulerType(type)
        .lrSchedulerKwargs(
            Map.of("factor", 0.5, "patience", 1, "threshold", 0.1, "cooldown", 1, "min_lr", 2e-3));
  }

  private static Trainer trainer(
      Learner learner, TrainingArguments arguments, TrainerCallback... callbacks) {
    Trainer.Builder builder =
        Trainer.builder(learner, arguments)
            .samples(TrainerTest.texts(20), 20)
            .evaluation(TrainerTest.texts(8));
    List.of(callbacks).forEach(builder::callback);
    return builder.build();
  }

  private static TrainerCallback into(List<String> warnings) {
    return new TrainerCallback() {
      @Override
      public void onWarning(String message) {
        warnings.add(message);
      }
    };
  }

  /** An evaluation changes the rate of the update after it, as in transformers' trainer. */
  @ParameterizedTest
  @ValueSource(strings = {"reduce_lr_on_plateau", "greedy"})
  void a_run_has_the_rates_that_its_evaluations_tell(String name) {
    TrainingArguments arguments = falling(Schedule.Type.of(name)).warmupSteps(3).build();
    List<String> warnings = new ArrayList<>();
    try (BigramLearner learner = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      Trainer trainer = trainer(learner, arguments, into(warnings));
      trainer.train();
      MetricSchedule expected =
          MetricSchedule.of(
              arguments.lrSchedulerType(), arguments.lrSchedulerKwargs(), List.of(0.05));
      int update = 0;
      for (Map<String, Object> line : trainer.state().logHistory()) {
        if (line.get("eval_loss") instanceof Double metric) {
          expected.step(metric);
        } else {
          assertEquals(expected.rates().getFirst(), line.get("learning_rate"));
          assertEquals(expected.rates().getFirst(), learner.rates.get(update++));
        }
      }
      assertEquals(24, update);
      assertTrue(new HashSet<>(learner.rates).size() > 2, learner.rates.toString());
    }
    assertEquals(
        List.of(
            "lr_scheduler_type %s has no warm-up: that of the settings is left out"
                .formatted(name)),
        warnings);
  }

  @Test
  void a_mode_that_is_not_that_of_the_settings_is_told() {
    List<String> warnings = new ArrayList<>();
    try (BigramLearner learner = new BigramLearner(TrainerTest.VOCABULARY, 0)) {
      trainer(learner, falling(PLATEAU).greaterIsBetter(true).build(), into(warnings)).train();
    }
    assertEquals(
        List.of(
            "lr_scheduler_kwargs: mode of reduce_lr_on_plateau is min, but more of eval_loss is"
                + " better by the settings"),
        warnings);
  }

  /** Whenever it is stopped: among bad evaluations, in a cooldown, before the first evaluation. */
  @ParameterizedTest
  @ValueSource(strings = {"reduce_lr_on_plateau", "greedy"})
  void a_run_that_goes_on_has_the_same_bits(String name) {
    Schedule.Type type = Schedule.Type.of(name);
    try (BigramLearner whole = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      Trainer reference = trainer(whole, falling(type).build());
      reference.train();
      for (int stop = 1; stop < 24; stop++) {
        TrainingArguments saved =
            falling(type)
                .outputDir(folder.resolve(stop + ""))
                .saveStrategy(Strategy.STEPS)
                .saveSteps(50)
                .build();
        try (BigramLearner first = new BigramLearner(TrainerTest.VOCABULARY, 0.1);
            BigramLearner rest = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
          trainer(first, saved, TrainerTest.stopAfter(stop)).train();
          Trainer resumed = trainer(rest, saved);
          assertTrue(resumed.resumeLatest());
          resumed.train();
          assertEquals(whole.rates.subList(stop, 24), rest.rates, "after " + stop);
          assertArrayEquals(whole.weights(), rest.weights(), "after " + stop);
          assertEquals(reference.state().logHistory(), resumed.state().logHistory());
        }
      }
    }
  }

  /** Writes a checkpoint again, with another state, as whole as the first. */
  private static void write(Path checkpoint, JsonNode state) {
    Map<String, Object> run = Checkpoints.readRun(checkpoint);
    Map<?, ?> files = (Map<?, ?>) run.remove("files");
    files.remove(Checkpoints.TRAINER_STATE);
    new Checkpoints(checkpoint.getParent())
        .write(
            4,
            run,
            to -> {
              for (Object file : files.keySet()) {
                Files.copy(checkpoint.resolve((String) file), to.resolve((String) file));
              }
              Files.writeString(to.resolve(Checkpoints.TRAINER_STATE), state.toString());
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        " | | : has no state of greedy, expected that of a run with this lr_scheduler_type",
        "lr_scheduler_type | \"reduce_lr_on_plateau\" |"
            + " : the schedule's 'lr_scheduler_type' is reduce_lr_on_plateau, expected greedy",
        "mode | \"max\" | : the schedule's 'mode' is max, expected min",
        "best | null | : the schedule's 'best' is null, expected numbers",
        "sum | \"a\" | : the schedule's 'sum' is a, expected numbers",
        "num_bad_epochs | 0.5 | : the schedule's 'num_bad_epochs' is 0.5, expected a whole number",
        "values | 1 | : the schedule's 'values' is 1, expected a list",
        "last_lr | [1, 2] |"
            + " : the schedule's 'last_lr' is [1, 2], expected one of each of the 1 groups",
      })
  void a_checkpoint_without_the_whole_state_is_refused(String name, String value, String message)
      throws Exception {
    TrainingArguments.Builder settings =
        falling(Schedule.Type.GREEDY).saveStrategy(Strategy.STEPS).saveSteps(2);
    try (BigramLearner first = new BigramLearner(TrainerTest.VOCABULARY, 0.1);
        BigramLearner rest = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      trainer(first, settings.outputDir(folder).build(), TrainerTest.stopAfter(4)).train();
      Path checkpoint = folder.resolve("checkpoint-4");
      ObjectNode state =
          (ObjectNode) JSON.readTree(checkpoint.resolve(Checkpoints.TRAINER_STATE).toFile());
      assertTrue(state.get("gatun_lr_scheduler").get("best").isDouble());
      if (name == null) {
        state.remove("gatun_lr_scheduler");
      } else {
        ((ObjectNode) state.get("gatun_lr_scheduler")).set(name, JSON.readTree(value));
      }
      write(checkpoint, state);
      float[] weights = rest.weights();
      Trainer resumed = trainer(rest, settings.build());
      String said =
          assertThrows(CheckpointException.class, () -> resumed.resume(checkpoint)).getMessage();
      assertTrue(said.startsWith(checkpoint + "/trainer_state.json" + message), said);
      assertArrayEquals(weights, rest.weights());
      assertEquals(0, resumed.state().globalStep());
      String half = state.toString().substring(0, 90);
      Files.writeString(checkpoint.resolve(Checkpoints.TRAINER_STATE), half);
      String damaged =
          assertThrows(CheckpointException.class, () -> resumed.resume(checkpoint)).getMessage();
      assertTrue(
          damaged.contains("trainer_state.json: is 90 bytes, crc32c ")
              && damaged.endsWith(": the checkpoint is damaged"),
          damaged);
    }
  }

  /** By the layer, and of each those that decay and those that do not. */
  @Test
  void groups_of_parameters_have_rates_of_their_own() throws Exception {
    Path gpt2 = Path.of("../../test/goldens/decoders/gpt2");
    TrainingArguments sgd =
        TrainingArguments.builder().optim(OptimizerType.SGD).layerwiseLrDecay(0.5).build();
    try (ModelLearner learner =
        new ModelLearner(
            AutoModel.causalLmForTraining(gpt2, Device.cpu(), TrainingSettings.DEFAULT), sgd)) {
      List<Double> factors = learner.rateFactors();
      assertEquals(List.of(1.0, 1.0, 0.5, 0.5, 0.25, 0.25), factors);
      ParameterRates rates = new ParameterRates(learner.parameters(), 0.5);
      Batch batch = new Batch(List.of(TrainerTest.texts(1).get(0, null)));
      for (int group = 0; group < 6; group++) {
        Map<String, float[]> before = new HashMap<>();
        learner.parameters().forEach(p -> before.put(p.name(), p.tensor().toFloatArray()));
        Double[] only = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        only[group] = 1.0;
        learner.accumulate(batch, learner.counts(batch), 0);
        learner.update(List.of(only), 1);
        for (Parameter each : learner.parameters()) {
          boolean isOf =
              rates.factor(each.name()) == factors.get(group)
                  && each.isDecayed() == (group % 2 == 0);
          boolean moved = !Arrays.equals(before.get(each.name()), each.tensor().toFloatArray());
          assertEquals(isOf, moved, each.name() + " by group " + group);
        }
      }
    }
  }
}
