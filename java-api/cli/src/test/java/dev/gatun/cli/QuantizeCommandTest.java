package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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

/** {@code gatun quantize} of a small model of bytes. */
final class QuantizeCommandTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/decoders/llama");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private Path model;
  private String out;
  private String err;

  @BeforeEach
  void prepare() throws IOException {
    model = Files.createDirectories(folder.resolve("model"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name), model.resolve(name));
    }
    ObjectNode root = JSON.createObjectNode();
    root.putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true);
    ObjectNode bpe = root.putObject("model").put("type", "BPE");
    bpe.putArray("merges");
    ObjectNode vocab = bpe.putObject("vocab");
    for (char c = '!'; c <= '~'; c++) {
      vocab.put(String.valueOf(c), c - '!');
    }
    vocab.put("\u0120", vocab.size());
    Files.writeString(model.resolve("tokenizer.json"), root.toString());
    Files.writeString(
        folder.resolve("text.txt"), "How do ships climb over the isthmus? ".repeat(6));
  }

  private int run(String... arguments) {
    CommandRun run = CommandRun.of(new ModelLoader(), "", arguments);
    out = run.out();
    err = run.err();
    return run.code();
  }

  private JsonNode quantize(String type, Path from) throws IOException {
    Path file = folder.resolve(type + ".gguf");
    String text = folder.resolve("text.txt").toString();
    String[] arguments = {
      "quantize",
      "--model",
      from.toString(),
      "--to",
      type,
      file.toString(),
      "--text",
      text,
      "--json"
    };
    assertEquals(0, run(arguments), () -> err);
    assertEquals(Files.size(file), JSON.readTree(out).get("bytes").longValue());
    return JSON.readTree(out);
  }

  @Test
  void narrower_weights_are_smaller_and_further_from_the_model() throws IOException {
    JsonNode f32 = quantize("F32", model);
    assertEquals(0, f32.get("kl_mean").doubleValue(), 1e-9);
    assertEquals(1, f32.get("same_top").doubleValue());
    assertEquals(
        f32.get("perplexity_before").doubleValue(),
        f32.get("perplexity_after").doubleValue(),
        1e-4);
    JsonNode eight = quantize("Q8_0", model);
    JsonNode four = quantize("Q4_0", folder.resolve("F32.gguf"));
    assertTrue(eight.get("bytes").longValue() < f32.get("bytes").longValue());
    assertTrue(four.get("bytes").longValue() < eight.get("bytes").longValue());
    assertTrue(eight.get("kl_mean").doubleValue() > 0);
    assertTrue(four.get("kl_mean").doubleValue() > 4 * eight.get("kl_mean").doubleValue());
    assertTrue(four.get("tensors").has("Q4_0"), four.toString());
    assertTrue(eight.get("tokenizer").booleanValue());
  }

  @Test
  void inputs_of_products_with_blocks_are_rounded_where_exact_ones_are_not_asked_for()
      throws IOException {
    double told = quantize("Q8_0", model).get("perplexity_after").doubleValue();
    Path file = folder.resolve("Q8_0.gguf");
    double exact = perplexity(file, "--activations", "exact");
    double rounded = perplexity(file);
    assertEquals(told, exact, 1e-6 * told);
    assertNotEquals(exact, rounded, 1e-5 * exact);
    assertEquals(exact, rounded, 0.02 * exact);
    assertEquals(rounded, perplexity(file, "--activations", "int8"));
    // There are no blocks whose products could round.
    assertEquals(perplexity(model), perplexity(model, "--activations", "exact"));
    // A scale a token, which is coarser than one for each 32.
    assertNotEquals(
        perplexity(model, "--weights", "int8"),
        perplexity(model, "--weights", "int8", "--activations", "exact"),
        1e-5 * exact);
  }

  private double perplexity(Path of, String... settings) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("perplexity", "--model", of.toString()));
    arguments.addAll(List.of(settings));
    arguments.addAll(List.of("--json", folder.resolve("text.txt").toString()));
    assertEquals(0, run(arguments.toArray(String[]::new)), () -> err);
    return JSON.readTree(out).get("perplexity").doubleValue();
  }

  @Test
  void sizes_time_and_what_is_left_out_are_told() throws IOException {
    Files.delete(model.resolve("tokenizer.json"));
    Path file = folder.resolve("plain.gguf");
    assertEquals(
        0,
        run("quantize", "--model", model.toString(), "--to", "q5_0", file.toString()),
        () -> err);
    assertTrue(out.contains("bits a weight"), out);
    assertTrue(out.contains("Q5_0"), out);
    assertTrue(out.contains("without a tokenizer"), out);
    assertEquals(0, run("inspect", file.toString()), () -> err);
    assertTrue(out.contains("Q5_0"), out);
  }

  @Test
  void blocks_of_our_own_are_a_directory_that_loads() throws IOException {
    Path made = folder.resolve("int8");
    String text = folder.resolve("text.txt").toString();
    String[] arguments = {
      "quantize",
      "--model",
      model.toString(),
      "--to",
      "int8",
      made.toString(),
      "--text",
      text,
      "--json"
    };
    assertEquals(0, run(arguments), () -> err);
    JsonNode told = JSON.readTree(out);
    assertTrue(told.get("tensors").get("INT8").intValue() > 0, out);
    assertTrue(told.get("kl_mean").doubleValue() > 0, out);
    assertTrue(told.get("tokenizer").booleanValue(), out);
    String[] again = {"perplexity", "--model", made.toString(), "--json", text};
    assertEquals(0, run(again), () -> err);
    assertEquals(2, run(arguments));
    assertTrue(err.contains("new directory"), err);
  }

  @Test
  void wrong_use_is_told() {
    String at = model.toString();
    assertEquals(
        2, run("quantize", "--model", at, "--to", "Q9_K", folder.resolve("x.gguf").toString()));
    assertTrue(err.contains("Q9_K") && err.contains("Q4_K_M"), err);
    assertEquals(
        2, run("quantize", "--model", at, "--to", "Q4_0", folder.resolve("x.bin").toString()));
    assertTrue(err.contains(".gguf"), err);
    assertEquals(
        1,
        run("quantize", "--model", at + "no", "--to", "Q4_0", folder.resolve("x.gguf").toString()));
    assertTrue(err.contains("not a model directory"), err);
  }
}
