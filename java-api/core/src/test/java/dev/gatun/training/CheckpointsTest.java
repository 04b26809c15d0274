package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.Philox;
import dev.gatun.models.AutoModel;
import dev.gatun.models.TrainingSettings;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checkpoints are there whole or not at all, and a run goes on from them with the same bits. */
final class CheckpointsTest {
  private static final int SAMPLES = 50;

  @TempDir Path folder;

  private static TrainingArguments.Builder arguments(Path output) {
    return TrainingArguments.builder()
        .outputDir(output)
        .learningRate(0.02)
        .numTrainEpochs(2)
        .warmupSteps(4)
        .perDeviceTrainBatchSize(1)
        .gradientAccumulationSteps(3)
        .loggingSteps(2)
        .saveSteps(2)
        .saveTotalLimit(3);
  }

  /** Of a GPT-2 whose layers have rates that fall as its evaluations tell. */
  private static TrainingArguments.Builder falling(Path output) {
    return arguments(output)
        .evalStrategy(TrainingArguments.Strategy.STEPS)
        .evalSteps(1)
        .layerwiseLrDecay(0.5)
        .lrSchedulerType(Schedule.Type.REDUCE_LR_ON_PLATEAU)
        .lrSchedulerKwargs(
            Map.of("factor", 0.7, "patience", 1, "threshold", 0.05, "cooldown", 2, "min_lr", 3e-3));
  }

  private static Trainer trainer(Learner learner, TrainingArguments arguments) {
    return Trainer.builder(learner, arguments)
        .samples(TrainerTest.texts(SAMPLES), SAMPLES)
        .evaluation(TrainerTest.texts(6))
        .build();
  }

  /** What is trained. */
  enum Kind {
    BIGRAM,
    GPT2,
    FALLING;

    TrainingArguments settings(Path output) {
      return (this == FALLING ? falling(output) : arguments(output)).build();
    }
  }

  /** What a JVM of its own runs until it is killed: two epochs, dropout, ragged texts. */
  static final class Run {
    private Run() {}

    public static void main(String[] arguments) throws IOException {
      Path output = Path.of(arguments[0]);
      TrainingArguments settings = Kind.valueOf(arguments[1]).settings(output);
      try (Learner learner =
          learner(
              Kind.valueOf(arguments[1]) == Kind.BIGRAM ? null : output.resolveSibling("gpt2"),
              settings)) {
        Trainer trainer =
            Trainer.builder(learner, settings)
                .samples(TrainerTest.texts(SAMPLES), SAMPLES)
                .evaluation(TrainerTest.texts(6))
                .callback(
                    new TrainerCallback() {
                      @Override
                      public void onStepEnd(
                          StepReport step, TrainerState state, TrainerControl control) {
                        System.out.println(step.step());
                        System.out.flush();
                      }
                    })
                .build();
        trainer.resumeLatest();
        trainer.train();
      }
    }
  }

  /** A GPT-2, or the model of tests where there is no directory of one; both drop a tenth. */
  private static Learner learner(Path gpt2, TrainingArguments settings) throws IOException {
    return gpt2 == null
        ? new BigramLearner(TrainerTest.VOCABULARY, 0.1)
        : new ModelLearner(
            AutoModel.causalLmForTraining(gpt2, Device.cpu(), TrainingSettings.DEFAULT), settings);
  }

  /** A small GPT-2 that drops a tenth of its embeddings, residuals and probabilities. */
  private static Path writeGpt2(Path folder) throws IOException {
    Path golden = Path.of("../../test/goldens/decoders/gpt2");
    ObjectNode config =
        (ObjectNode) new ObjectMapper().readTree(golden.resolve("config.json").toFile());
    config.put("embd_pdrop", 0.1).put("resid_pdrop", 0.1).put("attn_pdrop", 0.1);
    Files.createDirectory(folder);
    Files.writeString(folder.resolve("config.json"), config.toString());
    return Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"))
        .getParent();
  }

  private static Process start(Path output, Kind kind, int threads, List<String> before)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-Dgatun.cpu.threads=" + threads,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Run.class.getName(),
            output.toString(),
            kind.name()));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /**
   * Kills runs at random moments, many while a checkpoint is written, until one reaches the end.
   */
  private static int killUntilDone(Path output, Kind kind, int seed) throws Exception {
    int kills = 0;
    while (true) {
      Process run = start(output, kind, 1 + (seed + kills) % 3, List.of());
      // So many lines and then so many microseconds, which leaves it anywhere in a step.
      int lines = 1 + (int) (Philox.uniform(seed, kills, 0) * 9);
      long pause = (long) (Philox.uniform(seed, kills, 1) * 5_000_000);
      try (InputStream out = run.getInputStream()) {
        int read;
        while (lines > 0 && (read = out.read()) >= 0) {
          lines -= read == '\n' ? 1 : 0;
        }
        if (lines > 0) {
          assertEquals(0, run.waitFor());
          return kills;
        }
        Thread.sleep(pause / 1_000_000, (int) (pause % 1_000_000));
        run.destroyForcibly().waitFor();
        kills++;
      }
    }
  }

  private void killed(Kind kind, int kills) throws Exception {
    Path whole = folder.resolve("whole");
    TrainingArguments settings = kind.settings(whole);
    Path model = kind == Kind.BIGRAM ? null : writeGpt2(folder.resolve("gpt2"));
    try (Learner learner = learner(model, settings)) {
      Trainer trainer = trainer(learner, settings);
      trainer.train();
      long rates =
          trainer.state().logHistory().stream()
              .map(line -> line.get("learning_rate"))
              .filter(Objects::nonNull)
              .distinct()
              .count();
      assertTrue(rates > 2, rates + " rates");
    }
    int done = 0;
    for (int seed = 0; done < kills; seed++) {
      Path output = folder.resolve("killed-" + seed);
      done += killUntilDone(output, kind, seed);
      for (String file :
          List.of(
              "log.jsonl",
              "checkpoint-34/model.safetensors",
              "checkpoint-34/optimizer.safetensors",
              "checkpoint-32/optimizer.safetensors")) {
        assertArrayEquals(
            Files.readAllBytes(whole.resolve(file)),
            Files.readAllBytes(output.resolve(file)),
            "%s after %d kills of run %d".formatted(file, done, seed));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void a_killed_run_goes_on_with_the_same_bits(Kind kind) throws Exception {
    killed(kind, 3);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("full")
  void a_run_that_is_killed_at_twenty_moments_goes_on_with_the_same_bits(Kind kind)
      throws Exception {
    killed(kind, 20);
  }

  private Path trained(Path output, long steps) {
    try (Learner learner = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      Trainer.builder(learner, arguments(output).saveSteps(2).build())
          .samples(TrainerTest.texts(SAMPLES), SAMPLES)
          .callback(TrainerTest.stopAfter(steps))
          .build()
          .train();
    }
    return output;
  }

  private static long resumed(Path output, List<String> warnings) {
    try (Learner learner = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      Trainer trainer =
          Trainer.builder(learner, arguments(output).build())
              .samples(TrainerTest.texts(SAMPLES), SAMPLES)
              .callback(
                  new TrainerCallback() {
                    @Override
                    public void onWarning(String message) {
                      warnings.add(message);
                    }
                  })
              .build();
      trainer.resumeLatest();
      return trainer.state().globalStep();
    }
  }

  @Test
  void a_checkpoint_has_what_transformers_has_and_older_ones_go() throws Exception {
    Path output = trained(folder, 10);
    Set<String> names = new HashSet<>();
    try (Stream<Path> entries = Files.list(output)) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    }
    assertEquals(
        Set.of("checkpoint-6", "checkpoint-8", "checkpoint-10", "log.jsonl", "loss.svg"), names);
    JsonNode state =
        new ObjectMapper().readTree(output.resolve("checkpoint-8/trainer_state.json").toFile());
    assertEquals(8, state.get("global_step").intValue());
    assertEquals(8.0 / 17, state.get("epoch").doubleValue());
    assertEquals(34, state.get("max_steps").intValue());
    assertEquals(4, state.get("log_history").size());
    assertEquals(8, state.get("log_history").get(3).get("step").intValue());
    assertTrue(state.get("log_history").get(3).get("loss").isDouble());
  }

  @Test
  void half_a_checkpoint_and_a_damaged_one_are_never_chosen() throws Exception {
    Path output = trained(folder, 10);
    Files.createDirectory(output.resolve("checkpoint-12.part"));
    Files.createDirectory(output.resolve("checkpoint-14"));
    List<String> warnings = new ArrayList<>();
    assertEquals(10, resumed(output, warnings));
    assertEquals(1, warnings.size());
    assertTrue(warnings.getFirst().contains("checkpoint-14"), warnings.getFirst());
    Path weights = output.resolve("checkpoint-10/model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    warnings.clear();
    assertEquals(8, resumed(output, warnings));
    assertTrue(
        warnings.getLast().contains("model.safetensors: is ")
            && warnings.getLast().contains("the checkpoint is damaged"),
        warnings.getLast());
    Files.delete(output.resolve("checkpoint-8/optimizer.safetensors"));
    assertEquals(6, resumed(output, warnings));
    assertTrue(warnings.getLast().contains("optimizer.safetensors: is missing"));
    // A run that goes on writes over what was damaged.
    try (Learner learner = new BigramLearner(TrainerTest.VOCABULARY, 0.1)) {
      Trainer trainer = trainer(learner, arguments(output).build());
      trainer.resumeLatest();
      trainer.train();
    }
    assertEquals(34, resumed(output, new ArrayList<>()));
    assertFalse(Files.exists(output.resolve("checkpoint-14")));
  }

  private static String refusal(Learner learner, TrainingArguments arguments, int samples) {
    try (learner) {
      Trainer trainer =
          Trainer.builder(learner, arguments).samples(TrainerTest.texts(samples), samples).build();
      return assertThrows(CheckpointException.class, trainer::resumeLatest).getMessage();
    }
  }

  @Test
  void a_checkpoint_of_another_model_or_order_is_refused() {
    trained(folder, 4);
    TrainingArguments same = arguments(folder).build();
    String model = refusal(new BigramLearner(13, 0.1), same, SAMPLES);
    assertTrue(
        model.contains("checkpoint-4: is of another model: parameter 0 there is {name=table.weight")
            && model.contains("shape=[12, 12]")
            && model.contains("shape=[13, 13]"),
        model);
    String data = refusal(new BigramLearner(12, 0.1), same, SAMPLES + 1);
    assertTrue(data.contains("was written with samples 50, here it is 51"), data);
    String seed = refusal(new BigramLearner(12, 0.1), arguments(folder).seed(1).build(), SAMPLES);
    assertTrue(seed.contains("was written with seed 42, here it is 1"), seed);
  }

  /** Files may not become larger than a limit in that run, as on a disk that is full. */
  @Test
  void a_full_disk_leaves_the_last_checkpoint() throws Exception {
    Path output = trained(folder, 4);
    Process run =
        start(output, Kind.BIGRAM, 1, List.of("bash", "-c", "ulimit -f 1; exec \"$@\"", "bash"));
    String said = new String(run.getInputStream().readAllBytes());
    assertEquals(1, run.waitFor(), said);
    assertTrue(
        said.contains("checkpoint-6: the checkpoint cannot be written: ")
            && said.contains("the last one is whole: " + output.resolve("checkpoint-4")),
        said);
    try (Stream<Path> entries = Files.list(output)) {
      assertEquals(
          List.of("checkpoint-2", "checkpoint-4"),
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> name.startsWith("checkpoint"))
              .sorted()
              .toList());
    }
    assertEquals(4, resumed(output, new ArrayList<>()));
  }
}
