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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts that are held to something, of a small model with random weights and tokens of bytes. */
class ConstrainedCommandTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/decoders/llama");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private String out;
  private String err;

  @BeforeEach
  void model() throws IOException {
    for (String name : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name), folder.resolve(name));
    }
    ObjectNode tokenizer = JSON.createObjectNode();
    tokenizer
        .putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
    tokenizer.set("decoder", tokenizer.get("pre_tokenizer"));
    ObjectNode model = tokenizer.putObject("model").put("type", "BPE");
    ObjectNode vocab = model.putObject("vocab");
    List<String> tokens =
        new ArrayList<>(List.of("<pad>", "<s>", "</s>", "\u010a", "ab", "\u0120"));
    for (char c = '!'; c <= '~'; c++) {
      tokens.add(String.valueOf(c));
    }
    tokens.forEach(token -> vocab.put(token, vocab.size()));
    model.putArray("merges").add("a b");
    for (String special : tokens.subList(0, 3)) {
      tokenizer
          .withArray("added_tokens")
          .addObject()
          .put("id", tokens.indexOf(special))
          .put("content", special)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    ObjectNode config = (ObjectNode) JSON.readTree(folder.resolve("config.json").toFile());
    Files.writeString(folder.resolve("config.json"), config.put("eos_token_id", 2).toString());
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": 2}");
  }

  private int generate(String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("generate", "--model", folder.toString(), "--prompt", "abc"));
    arguments.addAll(List.of(more));
    CommandRun run = CommandRun.of(new ModelLoader(), "", arguments.toArray(String[]::new));
    out = run.out();
    err = run.err();
    return run.code();
  }

  @Test
  void textsAreHeldToAnExpression() {
    for (String seed : List.of("1", "2", "3")) {
      assertEquals(
          0, generate("--regex", "(abc?|\\d{2}){2,4}", "--temperature", "1", "--seed", seed), err);
      assertTrue(out.strip().matches("(abc?|\\d{2}){2,4}"), out);
    }
  }

  @Test
  void oneOfTheChoicesComes() throws IOException {
    assertEquals(0, generate("--choice", "yes", "--choice", "no way", "--json"), err);
    JsonNode completion = JSON.readTree(out).get("completions").get(0);
    assertTrue(
        List.of("yes", "no way").contains(completion.get("text").asText()), completion.toString());
    assertEquals("end_of_text", completion.get("reason").asText());
  }

  @Test
  void schemasAndGrammarsAreReadFromFilesOrGiven() throws IOException {
    String schema =
        "{\"type\":\"object\",\"properties\":{\"name\":{\"enum\":[\"abc\",\"b\"]},"
            + "\"n\":{\"type\":\"integer\",\"maximum\":99,\"minimum\":10}},"
            + "\"required\":[\"name\",\"n\"],\"additionalProperties\":false}";
    Path file = folder.resolve("schema.json");
    Files.writeString(file, schema);
    for (String given : List.of(schema, file.toString())) {
      assertEquals(0, generate("--json-schema", given, "--seed", "4", "--temperature", "1"), err);
      JsonNode made = JSON.readTree(out);
      assertEquals(2, made.size(), out);
      assertTrue(List.of("abc", "b").contains(made.get("name").textValue()), out);
      assertTrue(made.get("n").intValue() >= 10 && made.get("n").intValue() <= 99, out);
    }
    Path grammar = folder.resolve("list.gbnf");
    Files.writeString(grammar, "root ::= item (\", \" item){1,3} # items\nitem ::= [a-c]+ \"!\"");
    assertEquals(0, generate("--grammar", grammar.toString(), "--max-new-tokens", "2000"), err);
    assertTrue(out.strip().matches("[a-c]+!(, [a-c]+!){1,3}"), out);
    assertEquals(0, generate("--json-object", "--max-new-tokens", "40"), err);
    assertTrue(out.startsWith("{"), out);
  }

  @Test
  void whatIsWrongIsNamed() {
    assertEquals(1, generate("--regex", "a(?=b)"));
    assertTrue(err.contains("character 2: lookahead, which is not supported"), err);
    assertEquals(1, generate("--json-schema", "{\"items\":{\"not\":{}}}"));
    assertTrue(err.contains("#/items/not: the keyword 'not' is not supported"), err);
    assertEquals(1, generate("--grammar", "nowhere.gbnf"));
    assertTrue(err.contains("--grammar: there is no file nowhere.gbnf"), err);
    assertEquals(2, generate("--regex", "a", "--choice", "b"));
    assertTrue(err.contains("mutually exclusive"), err);
    assertEquals(1, generate("--choice", "a\u0001"));
    assertTrue(err.contains("byte 0x01, and no token of the vocabulary begins so"), err);
    assertEquals(2, generate("--choice", "a", "--num-beams", "2"));
    assertTrue(err.contains("num_beams is 2 with a constraint"), err);
  }
}
