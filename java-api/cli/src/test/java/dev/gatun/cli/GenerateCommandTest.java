package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of decoders, with a small model whose words are numbers. */
class GenerateCommandTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/decoders/llama");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private String out;
  private String err;
  private JsonNode greedy;

  @BeforeEach
  void model() throws IOException {
    for (String name : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name), folder.resolve(name));
    }
    int vocabulary =
        JSON.readTree(folder.resolve("config.json").toFile()).get("vocab_size").intValue();
    ObjectNode tokenizer = JSON.createObjectNode();
    tokenizer.putObject("pre_tokenizer").put("type", "Whitespace");
    ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    ObjectNode vocab = model.putObject("vocab");
    IntStream.range(0, vocabulary).forEach(id -> vocab.put("w" + id, id));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    greedy = JSON.readTree(GOLDEN.resolve("case.json").toFile()).get("generations").get(0);
  }

  private int run(String input, String... arguments) {
    CommandRun run = CommandRun.of(new ModelLoader(), input, arguments);
    out = run.out();
    err = run.err();
    return run.code();
  }

  private int generate(String... more) {
    List<String> arguments = new ArrayList<>(List.of("generate", "--model", folder.toString()));
    arguments.addAll(List.of(more));
    return run(words(ids("prompt")), arguments.toArray(String[]::new));
  }

  /** The first row of a golden's ids. */
  private int[] ids(String name) {
    int[] ids = JSON.convertValue(greedy.get(name).get(0), int[].class);
    int prompt = greedy.get("prompt").get(0).size();
    return name.equals("output") ? Arrays.copyOfRange(ids, prompt, ids.length) : ids;
  }

  private static String words(int... ids) {
    return Arrays.stream(ids).mapToObj(id -> "w" + id).collect(Collectors.joining(" "));
  }

  @Test
  void aModelThatWritesNoTextIsRefusedWithThoseThatDo() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"bert\"}");
    assertEquals(1, generate());
    assertTrue(err.contains("'model_type' is bert, an encoder, expected a decoder, one of "), err);
    assertTrue(err.contains(", or an encoder-decoder, one of bart, "), err);
    Files.writeString(folder.resolve("config.json"), "{}");
    assertEquals(1, generate());
    assertTrue(err.contains("'model_type' is null, expected a decoder, one of "), err);
  }

  @Test
  void writesWhatTransformersWrites() {
    String tokens = greedy.get("max_new_tokens").asText();
    String expected = words(ids("output"));
    assertEquals(0, generate("--max-new-tokens", tokens), err);
    assertEquals(expected, out.strip());
    assertEquals("", err);
    assertEquals(0, generate("--max-new-tokens", tokens, "--prompt", words(ids("prompt"))), err);
    assertEquals(expected, out.strip());
    assertEquals(0, generate("--max-new-tokens", "3", "--temperature", "0", "--stats"), err);
    assertEquals(words(Arrays.copyOf(ids("output"), 3)), out.strip());
    assertTrue(err.contains("tokens/s"), err);
  }

  @Test
  void tellsAllOfIt() throws IOException {
    assertEquals(0, generate("--max-new-tokens", "4", "--logprobs", "2", "--json"), err);
    JsonNode report = JSON.readTree(out);
    assertEquals(ids("prompt").length, report.get("prompt_tokens").intValue());
    JsonNode text = report.get("completions").get(0);
    assertEquals("length", text.get("reason").asText());
    int[] four = Arrays.copyOf(ids("output"), 4);
    assertEquals(words(four), text.get("text").asText());
    assertEquals(four[0], text.get("ids").get(0).intValue());
    assertEquals(2, text.get("logprobs").get(3).get("top").size());
    // Greedy takes the best.
    assertEquals(
        text.get("logprobs").get(0).get("logprob"),
        text.get("logprobs").get(0).get("top").get(0).get("logprob"));
  }

  @Test
  void drawsRepeatByTheirSeed() throws IOException {
    String[] seeded = {"--max-new-tokens", "9", "--temperature", "5", "--seed", "4", "--json"};
    assertEquals(0, generate(seeded), err);
    JsonNode once = JSON.readTree(out).get("completions");
    assertEquals(0, generate(seeded), err);
    assertEquals(once, JSON.readTree(out).get("completions"));
    seeded[5] = "5";
    assertEquals(0, generate(seeded), err);
    assertFalse(once.equals(JSON.readTree(out).get("completions")), out);
  }

  @Test
  void endsAtAStop() throws IOException {
    String stop = words(Arrays.copyOfRange(ids("output"), 2, 4));
    assertEquals(0, generate("--max-new-tokens", "9", "--stop", stop, "--json"), err);
    JsonNode text = JSON.readTree(out).get("completions").get(0);
    assertEquals("stop_string", text.get("reason").asText());
    assertEquals(stop, text.get("stop_string").asText());
    assertFalse(text.get("text").asText().contains(stop), out);
  }

  @Test
  void namesWhatIsWrong() throws IOException {
    assertEquals(2, run("", "generate"));
    assertTrue(err.contains("--model"), err);
    assertEquals(1, run("w1", "generate", "--model", folder.resolve("none").toString()));
    assertTrue(err.contains("none: not a model directory"), err);
    assertEquals(2, generate("--top-p", "1.5"));
    assertTrue(err.contains("top_p is 1.5, expected a number of 0 to 1"), err);
    assertEquals(1, generate("--weights", "INT3"));
    assertTrue(err.contains("no block format \"INT3\""), err);
    assertEquals(1, generate("--prompt", "w1 ".repeat(200)));
    assertTrue(
        err.contains("prompt: it has 200 tokens, the model's context has room for 128"), err);
    Files.writeString(folder.resolve("generation_config.json"), "{\"chat_format\": \"raw\"}");
    assertEquals(0, generate("--max-new-tokens", "1"));
    assertTrue(err.contains("'chat_format' is not a setting that is known"), err);
    Files.writeString(folder.resolve("generation_config.json"), "{\"guidance_scale\": 2}");
    assertEquals(1, generate());
    assertTrue(err.contains("'guidance_scale' is 2, which is not supported"), err);
  }

  @Test
  void tellsThePerplexity() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), words(ids("prompt")));
    String model = folder.toString();
    assertEquals(0, run("", "perplexity", "--model", model, text.toString(), "--json"), err);
    JsonNode report = JSON.readTree(out);
    int tokens = ids("prompt").length - 1;
    assertEquals(tokens, report.get("tokens").intValue());
    double loss = report.get("loss").doubleValue();
    assertEquals(Math.exp(loss / tokens), report.get("perplexity").doubleValue(), 1e-9);
    long bytes = Files.size(text);
    assertEquals(loss / Math.log(2) / bytes, report.get("bits_per_byte").doubleValue(), 1e-9);
    assertEquals(0, run("", "perplexity", "--model", model, text.toString()), err);
    assertTrue(out.startsWith("perplexity "), out);
    assertEquals(1, run("", "perplexity", "--model", model, text.toString(), "--window", "1"));
    assertTrue(err.contains("window: 1 tokens, expected 2 to the model's context"), err);
  }

  @Test
  void tellsWhatIsInside() throws IOException {
    assertEquals(0, run("", "inspect", folder.toString(), "--json"), err);
    JsonNode report = JSON.readTree(out);
    assertEquals("llama", report.get("model_type").asText());
    assertEquals("decoder", report.get("runs_as").asText());
    assertEquals("tokenizer.json", report.get("tokenizer").asText());
    long parameters = report.get("parameters").longValue();
    assertEquals(4 * parameters, report.get("bytes").longValue());
    assertEquals(parameters, report.get("dtypes").get("F32").get("parameters").longValue());
    String weights = folder.resolve("model.safetensors").toString();
    assertEquals(0, run("", "inspect", weights, "--tensors"), err);
    assertTrue(out.contains("model.embed_tokens.weight F32["), out);
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"mamba\"}");
    assertEquals(0, run("", "inspect", folder.toString()), err);
    assertTrue(out.contains("does not run"), out);
    assertTrue(out.contains("model_type is mamba, expected one of "), out);
    // What a file spells is no command to the terminal.
    Files.writeString(
        folder.resolve("config.json"), "{\"model_type\": \"\\u001b]0;title\\u0007\"}");
    assertEquals(0, run("", "inspect", folder.toString()), err);
    assertTrue(out.contains("^[]0;title^G"), out);
    assertTrue(out.indexOf('\u001b') < 0 && out.indexOf('\u0007') < 0, out);
    assertEquals(1, run("", "inspect", folder.resolve("none").toString()));
    assertTrue(err.contains("there is no such file or directory"), err);
  }
}
