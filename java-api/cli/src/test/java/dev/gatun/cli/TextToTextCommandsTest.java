package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of encoder-decoders, with small models and what transformers writes with them. */
class TextToTextCommandsTest {
  private static final Path GOLDENS = Path.of("../../test/goldens/text-to-text");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private String out;
  private String err;

  private int run(String input, String... arguments) {
    CommandRun run = CommandRun.of(new ModelLoader(), input, arguments);
    out = run.out();
    err = run.err();
    return run.code();
  }

  private static JsonNode cases(String name) throws IOException {
    return JSON.readTree(GOLDENS.resolve(name).resolve("case.json").toFile()).get("cases");
  }

  private static String model(String name) {
    return GOLDENS.resolve(name).toString();
  }

  private Path copy(String name) throws IOException {
    try (Stream<Path> files = Files.list(GOLDENS.resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName().toString()));
      }
    }
    return folder;
  }

  private void edit(String file, java.util.function.Consumer<ObjectNode> change)
      throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(folder.resolve(file).toFile());
    change.accept(root);
    Files.writeString(folder.resolve(file), root.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"nllb", "m2m", "marian"})
  void translatesAsTransformersDoes(String name) throws IOException {
    for (JsonNode each : cases(name)) {
      List<String> arguments =
          List.of(
              "translate",
              "--model",
              model(name),
              "--source-language",
              each.get("source").textValue(),
              "--target-language",
              each.get("target").textValue(),
              "--max-new-tokens",
              "12",
              "--num-beams",
              "2");
      String input = each.get("input").textValue();
      assertEquals(0, run(input + "\n", arguments.toArray(String[]::new)), err);
      assertEquals(each.get("text").textValue().strip(), out.strip());
      List<String> more = new ArrayList<>(arguments);
      more.addAll(List.of("--text", input, "--json"));
      assertEquals(0, run("", more.toArray(String[]::new)), err);
      JsonNode report = JSON.readTree(out);
      assertEquals(each.get("target"), report.get("target_language"));
      JsonNode result = report.get("translations").get(0).get("result");
      assertEquals(each.get("source_ids").size(), result.get("prompt_tokens").intValue());
      String made = result.get("completions").get(0).get("text").textValue();
      assertEquals(each.get("text").textValue().strip(), made.strip());
    }
  }

  @Test
  void tasksOfT5HaveTheirWordsAndSettings() throws IOException {
    for (JsonNode each : cases("t5")) {
      String task = each.get("task").asText("");
      String input = each.get("input").textValue();
      String language = task.substring(Math.max(0, task.length() - 2));
      int code =
          switch (task) {
            case "summarization" -> run("", "summarize", "--model", model("t5"), "--text", input);
            case "null", "" ->
                run(
                    "",
                    "generate",
                    "--model",
                    model("t5"),
                    "--prompt",
                    input,
                    "--max-new-tokens",
                    "12");
            default ->
                run(
                    "",
                    "translate",
                    "--model",
                    model("t5"),
                    "--text",
                    input,
                    "--source-language",
                    "en",
                    "--target-language",
                    language);
          };
      assertEquals(0, code, err);
      assertEquals(each.get("text").textValue().strip(), out.strip(), each.toString());
      assertEquals("", err);
    }
  }

  @Test
  void linesAreTranslatedInTheirOrder() throws IOException {
    StringBuilder input = new StringBuilder();
    List<String> expected = new ArrayList<>();
    for (JsonNode each : cases("nllb")) {
      if (each.get("source").textValue().equals("eng_Latn")) {
        input.append(each.get("input").textValue()).append("\n\n");
        expected.add(each.get("text").textValue().strip());
        expected.add("");
      }
    }
    assertEquals(
        0,
        run(
            input.toString(),
            "translate",
            "--model",
            model("nllb"),
            "--source-language",
            "eng_Latn",
            "--target-language",
            "fra_Latn",
            "--max-new-tokens",
            "12",
            "--num-beams",
            "2"),
        err);
    assertEquals(expected, out.lines().map(String::strip).toList());
  }

  @Test
  void longTextsAreSummarisedInParts() throws IOException {
    String text = "The ship climbs. A pilot comes aboard, and the vessel moves. ".repeat(6);
    assertEquals(0, run(text, "summarize", "--model", model("t5"), "--part-tokens", "50"), err);
    long parts = out.lines().count();
    assertTrue(parts > 2, out);
    assertTrue(
        err.contains(
            "the text has more than 50 tokens, which are read at once: summarised in %d parts"
                .formatted(parts)),
        err);
    String lines = out;
    assertEquals(
        0, run(text, "summarize", "--model", model("t5"), "--part-tokens", "50", "--json"));
    JsonNode report = JSON.readTree(out);
    assertEquals(parts, report.get("parts").size());
    assertEquals(50, report.get("part_tokens").intValue());
    assertEquals(lines.strip(), report.get("summary").textValue().strip());
    for (JsonNode part : report.get("parts")) {
      int tokens = part.get("prompt_tokens").intValue();
      assertTrue(tokens <= 50 && tokens > 20, out);
    }
    // The tokenizer says 64 where nobody says less.
    assertEquals(0, run(text, "summarize", "--model", model("t5"), "--json"), err);
    assertEquals(64, JSON.readTree(out).get("part_tokens").intValue());
  }

  @Test
  void namesWhatIsWrong() throws IOException {
    assertEquals(
        1, run("a", "translate", "--model", model("nllb"), "--source-language", "eng_Latn"));
    assertTrue(err.contains("the target language is missing; the model's 202: "), err);
    assertEquals(
        1, run("a", "translate", "--model", model("nllb"), "--target-language", "fra_Latn"));
    assertTrue(err.contains("the source language is missing"), err);
    assertEquals(
        1,
        run(
            "a",
            "translate",
            "--model",
            model("nllb"),
            "--source-language",
            "eng_Latn",
            "--target-language",
            "fr"));
    assertTrue(err.contains("'fr' is none of the model's 202: fra_Latn, "), err);
    assertEquals(1, run("a", "translate", "--model", model("marian"), "--target-language", "xyz"));
    assertTrue(err.contains("the target language 'xyz' is none of the model's 2: fra, deu"), err);
    assertEquals(
        1,
        run(
            "a",
            "translate",
            "--model",
            model("marian"),
            "--source-language",
            "fin",
            "--target-language",
            "fra"));
    assertTrue(err.contains("the source language is 'fin', but the model's is 'eng'"), err);
    assertEquals(1, run("a", "translate", "--model", model("t5")));
    assertTrue(
        err.contains("the languages are missing; config.json has translation_en_to_de, "), err);
    assertEquals(
        1,
        run(
            "a",
            "translate",
            "--model",
            model("t5"),
            "--source-language",
            "en",
            "--target-language",
            "fi"));
    assertTrue(err.contains("no translation from 'en' to 'fi'; config.json has"), err);
    assertEquals(1, run("a", "summarize", "--model", "../../test/goldens/decoders/llama"));
    assertTrue(err.contains("a model of type 'llama' writes on from a text, expected an enc"), err);
    assertEquals(1, run("a", "summarize", "--model", "../../test/goldens/encoder-decoders/t5"));
    assertTrue(err.contains("has no tokenizer, without which there are no texts"), err);
    assertEquals(
        1,
        run(
            "The ship climbs. ".repeat(30),
            "translate",
            "--model",
            model("nllb"),
            "--source-language",
            "eng_Latn",
            "--target-language",
            "fra_Latn"));
    assertTrue(err.contains("the model's encoder takes 64: shorten it or split it"), err);
    assertEquals(2, run("a", "summarize", "--model", model("t5"), "--part-tokens", "0"));
    assertTrue(err.contains("--part-tokens: 0, expected a number from 1"), err);
    assertEquals(2, run("a", "summarize", "--model", model("t5"), "--num-beams", "0"));
    assertTrue(err.contains("num_beams is 0, expected a number from 1"), err);
    copy("t5");
    edit("config.json", config -> config.remove("decoder_start_token_id"));
    edit("generation_config.json", config -> config.remove("decoder_start_token_id"));
    assertEquals(1, run("a", "summarize", "--model", folder.toString()));
    assertTrue(err.contains("'decoder_start_token_id' is missing"), err);
  }
}
