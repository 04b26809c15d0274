package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gatun search} with real model directories, damaged and sound. */
class BadModelsTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/bert-mlm");

  @TempDir private Path folder;

  private String out;
  private String err;

  @BeforeEach
  void model() throws Exception {
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name), folder.resolve(name));
    }
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nship\nlock\n");
  }

  private void write(String name, String text) throws Exception {
    Files.writeString(folder.resolve(name), text);
  }

  private int search(Path model, String input) {
    CommandRun run =
        CommandRun.of(
            new ModelLoader(),
            input,
            "search",
            "lock",
            "--top",
            "100",
            "--json",
            "--model",
            model.toString());
    out = run.out();
    err = run.err();
    return run.code();
  }

  private void refused(String message) {
    assertEquals(1, search(folder, "ship"));
    assertEquals("", out);
    assertTrue(err.startsWith("gatun: " + folder), err);
    assertTrue(err.contains(message), err);
    assertFalse(err.contains("\tat "), err);
    assertEquals(1, err.lines().count(), err);
  }

  @Test
  void damagedDirectoriesAreNamed() throws Exception {
    write("vocab.txt", "[PAD]\n");
    refused("vocab.txt: the special token [UNK] is not there");
    Files.write(folder.resolve("vocab.txt"), new byte[] {'a', (byte) 0xff});
    refused("vocab.txt: byte 1: 0xff is not UTF-8");
    write("config.json", "{\"model_type\": \"mamba\"}");
    refused("'model_type' is mamba, expected one of albert, bart, bert, ");
    write("config.json", "{\"model_type\": \"gpt2\"}");
    refused("'model_type' is gpt2, a decoder, and nothing says how its tokens become");
    write("config.json", "{");
    refused("config.json: byte ");
    Files.delete(folder.resolve("config.json"));
    refused("config.json");
    Path none = folder.resolve("none");
    assertEquals(1, search(none, "ship"));
    assertEquals("gatun: " + none + ": not a model directory, nor a GGUF file\n", err);
  }

  @Test
  void damagedWeightsAreNamed() throws Exception {
    Path weights = folder.resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Files.delete(weights);
    refused("no weights; looked for model.safetensors");
    Files.write(weights, java.util.Arrays.copyOf(whole, whole.length / 2));
    refused("model.safetensors: byte ");
  }

  @Test
  void aTextOverTheLimitIsSplitIntoPassages() throws Exception {
    assertEquals(0, search(folder, "ship lock ".repeat(100)), () -> err);
    JsonNode results = new ObjectMapper().readTree(out).get("results");
    int all = 0;
    for (JsonNode result : results) {
      int words = result.get("text").asText().split(" ").length;
      assertTrue(words <= 62, words + " words and 2 special tokens in a model of 64");
      all += words;
    }
    assertEquals(200, all, "every word is in one passage");
    assertEquals(4, results.size());
  }
}
