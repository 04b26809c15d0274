package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small BERT learns by every objective of encoders, and is evaluated. */
final class TrainObjectivesTest {
  @TempDir private Path folder;

  private Path config;
  private String err;

  @BeforeEach
  void makeModel() throws IOException {
    Path made = Files.createDirectory(folder.resolve("new"));
    config = made.resolve("config.json");
    Files.writeString(
        config,
        """
        {"model_type": "bert", "vocab_size": 57, "hidden_size": 16, "num_hidden_layers": 1,
         "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64,
         "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0,
         "id2label": {"0": "ship", "1": "rain"}, "label2id": {"ship": 0, "rain": 1}}
        """);
    List<String> vocabulary =
        new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    for (char letter = 'a'; letter <= 'z'; letter++) {
      vocabulary.add(String.valueOf(letter));
      vocabulary.add("##" + letter);
    }
    Files.write(made.resolve("vocab.txt"), vocabulary);
    Files.writeString(
        made.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"BertTokenizer\"}");
  }

  private List<String> train(String objective, String suffix, List<String> lines)
      throws IOException {
    Path data = folder.resolve(objective + suffix);
    Files.write(data, lines);
    Path out = folder.resolve(objective);
    CommandRun run =
        CommandRun.of(
            new ModelLoader(),
            "",
            "train",
            "--config",
            config.toString(),
            "--objective",
            objective,
            "--data",
            data.toString(),
            "--eval_data",
            data.toString(),
            "--output_dir",
            out.toString(),
            "--max_steps",
            "60",
            "--logging_steps",
            "30",
            "--learning_rate",
            "1e-2",
            "--warmup_steps",
            "0.1",
            "--doc_stride",
            "2",
            "--save_strategy",
            "no");
    err = run.err();
    assertEquals(0, run.code(), err);
    assertTrue(Files.exists(out.resolve("model.safetensors")));
    // Evaluations are as often as lines of the log, since nothing else is said.
    return Files.readAllLines(out.resolve("log.jsonl")).stream()
        .filter(line -> line.contains("eval_loss"))
        .toList();
  }

  private void learned(List<String> evaluations, double accuracy) {
    assertEquals(2, evaluations.size(), err);
    assertTrue(number(evaluations.get(1), "eval_loss") < number(evaluations.get(0), "eval_loss"));
    assertEquals(accuracy, number(evaluations.get(1), "eval_accuracy"));
  }

  private static double number(String line, String name) {
    String key = "\"" + name + "\":";
    assertTrue(line.contains(key), line);
    String rest = line.substring(line.indexOf(key) + key.length());
    return Double.parseDouble(rest.split("[,}]")[0]);
  }

  @Test
  void maskedTokens() throws IOException {
    List<String> evaluations = train("mlm", ".txt", List.of("a ship", "b ship", "c ship"));
    assertEquals(2, evaluations.size(), err);
    assertTrue(!evaluations.getLast().contains("eval_accuracy"), evaluations.getLast());
  }

  @Test
  void nextSentences() throws IOException {
    List<String> evaluations =
        train("nsp", ".txt", List.of("a a a", "a a", "a", "", "b b b", "b b", "b"));
    assertEquals(2, evaluations.size(), err);
    assertTrue(number(evaluations.getLast(), "eval_accuracy") >= 0, evaluations.getLast());
  }

  @Test
  void classesOfTexts() throws IOException {
    learned(
        train(
            "classify",
            ".jsonl",
            List.of(
                "{\"text\": \"a a b\", \"label\": \"ship\"}",
                "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": \"ship\"}",
                "{\"text\": \"c c d e\", \"label\": \"rain\"}",
                "{\"text\": \"d c\", \"label\": 1}")),
        1);
  }

  @Test
  void classesOfWords() throws IOException {
    learned(
        train(
            "tokens",
            ".jsonl",
            List.of(
                "{\"tokens\": [\"ab\", \"cd\"], \"tags\": [\"ship\", \"rain\"]}",
                "{\"tokens\": [\"cd\", \"cd\", \"ab\"], \"tags\": [1, 1, 0]}")),
        1);
  }

  @Test
  void answers() throws IOException {
    List<String> evaluations =
        train(
            "qa",
            ".jsonl",
            List.of(
                "{\"question\": \"a\", \"context\": \"b c d\","
                    + " \"answers\": {\"text\": [\"c\"], \"answer_start\": [2]}}"));
    assertEquals(2, evaluations.size(), err);
  }

  private void refused(String message, String text, String... more) throws IOException {
    Path data = folder.resolve("bad.jsonl");
    Files.write(data, List.of("{\"text\": \"a\", \"label\": 0}", text));
    Path out = folder.resolve("bad");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--config",
                config.toString(),
                "--objective",
                "classify",
                "--data",
                data.toString(),
                "--eval_data",
                data.toString(),
                "--output_dir",
                out.toString()));
    arguments.addAll(List.of(more));
    CommandRun run = CommandRun.of(new ModelLoader(), "", arguments.toArray(String[]::new));
    assertEquals(1, run.code());
    assertTrue(run.err().contains(message), run.err());
    assertTrue(!Files.exists(out.resolve("log.jsonl")), "before training");
  }

  @Test
  void whatIsWrongIsNamedBeforeTraining() throws IOException {
    String good = "{\"text\": \"b\", \"label\": 1}";
    refused(
        "line 2: field 'text_pair' is 3, expected a text",
        "{\"text\": \"a\", \"text_pair\": 3, \"label\": 0}");
    refused(
        "metric_for_best_model is 'f1', expected one of [eval_loss, eval_accuracy]",
        good,
        "--metric_for_best_model",
        "f1");
    refused("eval_strategy: strategy is 'best', expected no", good, "--eval_strategy", "best");
    refused("warmup_steps is 1.5, expected a whole number", good, "--warmup_steps", "1.5");
  }
}
