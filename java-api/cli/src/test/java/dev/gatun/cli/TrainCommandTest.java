package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From nothing to text, and what is refused. */
class TrainCommandTest {
  private static final Path TEXT = Path.of("../../docs/demo/panama-canal.txt");
  private static final Path CONFIG = Path.of("../../docs/demo/small-gpt/config.json");

  @TempDir private Path folder;

  private String out;
  private String err;

  private int run(String... arguments) {
    CommandRun run = CommandRun.of(new ModelLoader(), "", arguments);
    out = run.out();
    err = run.err();
    return run.code();
  }

  private int train(String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("train", "--output_dir", folder.resolve("out").toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  private int fromNothing(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--config",
                CONFIG.toString(),
                "--objective",
                "clm",
                "--data",
                TEXT.toString(),
                "--max-length",
                "64",
                "--logging_steps",
                "10"));
    arguments.addAll(List.of(more));
    return train(arguments.toArray(String[]::new));
  }

  @Test
  void aNewModelLearnsATextAndSpeaksIt() throws IOException {
    assertEquals(
        0,
        fromNothing(
            "--max_steps",
            "900",
            "--learning_rate",
            "5e-3",
            "--warmup_steps",
            "30",
            "--lr_scheduler_type",
            "cosine",
            "--save_steps",
            "450",
            "--json"),
        err);
    assertTrue(out.contains("\"steps\":900") || out.contains("\"steps\" : 900"), out);
    Path model = folder.resolve("out");
    for (String file :
        List.of(
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "log.jsonl",
            "loss.svg",
            "checkpoint-450/optimizer.safetensors",
            "checkpoint-900/trainer_state.json")) {
      assertTrue(Files.exists(model.resolve(file)), file);
    }
    List<String> log = Files.readAllLines(model.resolve("log.jsonl"));
    assertEquals(90, log.size());
    assertEquals(
        0,
        run(
            "generate",
            "--model",
            model.toString(),
            "--prompt",
            "The Panama Canal",
            "--max-new-tokens",
            "12"),
        err);
    String text = Files.readString(TEXT).replaceAll("\\s+", " ");
    assertTrue(text.contains("The Panama Canal " + out.strip().replaceAll("\\s+", " ")), out);
    assertEquals(0, fromNothing("--max_steps", "901", "--resume"), err);
    assertTrue(err.contains("goes on after step 900"), err);
  }

  @Test
  void anotherOptimiserIsChosenByName() {
    String[] adafactor = {"--optim", "adafactor", "--max_steps", "2", "--save_steps", "2"};
    assertEquals(0, fromNothing(adafactor), err);
    assertEquals(0, fromNothing("--optim", "adafactor", "--max_steps", "3", "--resume"), err);
    assertTrue(err.contains("goes on after step 2"), err);
    assertEquals(1, fromNothing("--optim", "sgd", "--max_steps", "4", "--resume"));
    assertTrue(err.contains(".exp_avg_sq_row is none of this optimiser's"), err);
    assertEquals(1, fromNothing("--optim", "lion_32bit"));
    assertTrue(
        err.contains(
            "optim is 'lion_32bit', expected one of adamw_torch, adamw_torch_fused, adafactor,"
                + " sgd, adagrad, rmsprop"),
        err);
    assertEquals(1, fromNothing("--optim", "sgd", "--optim_args", "momentum=0.9,beta=1"));
    assertTrue(
        err.contains("optim_args has beta, expected of sgd only momentum, dampening, nesterov"),
        err);
  }

  @Test
  void productsOfF16AreTrained() {
    assertEquals(0, fromNothing("--fp16", "--max_steps", "2", "--save_steps", "2"), err);
    assertEquals(0, fromNothing("--fp16", "--max_steps", "3", "--resume"), err);
    assertTrue(err.contains("goes on after step 2"), err);
  }

  @Test
  void schedulesHaveArgumentsInJson() throws IOException {
    assertEquals(
        0,
        fromNothing(
            "--lr_scheduler_type",
            "cosine_with_min_lr",
            "--lr_scheduler_kwargs",
            "{\"min_lr_rate\": 1, \"num_cycles\": null}",
            "--learning_rate",
            "0.125",
            "--max_steps",
            "10"),
        err);
    String log = Files.readString(folder.resolve("out/log.jsonl"));
    assertTrue(log.contains("\"learning_rate\":0.125"), log);
    for (String wrong : List.of("min_lr=1", "[1]", "")) {
      assertEquals(1, fromNothing("--lr_scheduler_kwargs", wrong));
      assertTrue(
          err.contains("--lr_scheduler_kwargs is '" + wrong + "', expected a JSON object"), err);
    }
    assertEquals(1, fromNothing("--lr_scheduler_kwargs", "{\"min_lr\": 1}"));
    assertTrue(err.contains("lr_scheduler_kwargs has min_lr, expected none for linear"), err);
  }

  @Test
  void ratesFollowEvaluations() throws IOException {
    List<String> plateau =
        List.of(
            "--lr_scheduler_type",
            "reduce_lr_on_plateau",
            "--lr_scheduler_kwargs",
            "{\"patience\": 0, \"threshold\": 0.9, \"factor\": 0.5}",
            "--learning_rate",
            "0.125");
    assertEquals(1, fromNothing(plateau.toArray(String[]::new)));
    assertTrue(
        err.contains(
            "lr_scheduler_type is reduce_lr_on_plateau, expected an eval_strategy, steps or epoch"),
        err);
    List<String> run = new ArrayList<>(plateau);
    run.addAll(List.of("--eval_data", TEXT.toString(), "--eval_steps", "1", "--max_steps"));
    run.add("3");
    assertEquals(0, fromNothing(run.toArray(String[]::new)), err);
    run.set(run.size() - 1, "4");
    run.add("--resume");
    assertEquals(0, fromNothing(run.toArray(String[]::new)), err);
    // The first evaluation is the best so far, no other is better by nine tenths.
    String log = Files.readString(folder.resolve("out/log.jsonl"));
    assertTrue(log.contains("\"learning_rate\":0.0625,"), log);
    assertTrue(log.contains("\"learning_rate\":0.03125,"), log);
  }

  @Test
  void switchesMayHaveAValueAsTransformersHasIt() {
    String[] switches = {"--fp16", "false", "--gradient_checkpointing", "true", "--max_steps", "2"};
    assertEquals(0, fromNothing(switches), err);
  }

  @Test
  void namesWhatIsWrong() throws IOException {
    assertEquals(2, train("--objective", "clm", "--data", TEXT.toString()));
    assertTrue(err.contains("give one of --model, to train it, and --config"), err);
    assertEquals(2, fromNothing("--fp16", "--bf16"));
    assertTrue(err.contains("--bf16, --fp16: expected one of them"), err);
    assertEquals(1, fromNothing("--lr_scheduler_type", "triangular"));
    assertTrue(err.contains("lr_scheduler_type is 'triangular', expected one of linear"), err);
    assertEquals(1, fromNothing("--learning_rate", "-1"));
    assertTrue(err.contains("learning_rate is -1.0, expected above 0"), err);
    assertEquals(1, fromNothing("--freeze", "nothing"));
    assertTrue(err.contains("no parameter's name begins with 'nothing'"), err);
    assertEquals(1, fromNothing("--freeze", "transformer"));
    assertTrue(err.contains("parameters are frozen, expected one that is trained"), err);
    Path bad = folder.resolve("bad.jsonl");
    Files.writeString(bad, "{\"text\": \"a\"}\n{\"text\": }\n");
    assertEquals(
        1, train("--config", CONFIG.toString(), "--objective", "clm", "--data", bad.toString()));
    assertTrue(err.contains("bad.jsonl: line 2: column"), err);
  }
}
