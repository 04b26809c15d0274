package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Searching with a model that has prompts: scores are those of the reference's vectors. */
final class SearchPromptsTest {
  private static final Path GOLDENS = Path.of("goldens/sentence-models");

  @TempDir private Path folder;

  private JsonNode calls;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void model() throws IOException {
    for (String part : List.of("base", "prompts")) {
      try (Stream<Path> files = Files.walk(GOLDENS.resolve(part))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path to =
              folder.resolve("model").resolve(GOLDENS.resolve(part).relativize(file).toString());
          Files.createDirectories(to.getParent());
          Files.copy(file, to);
        }
      }
    }
    Files.writeString(folder.resolve("text"), "Hello World!");
    calls =
        new ObjectMapper()
            .readTree(GOLDENS.resolve("prompts/expected.json").toFile())
            .path("calls");
  }

  private int run(String... more) {
    List<String> arguments = new ArrayList<>(List.of("search", "x", folder.resolve("text") + ""));
    arguments.addAll(List.of("--json", "--model", folder.resolve("model").toString()));
    arguments.addAll(List.of(more));
    Terminal terminal =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false,
            false);
    return Gatun.run(terminal, new ModelLoader(), arguments.toArray(String[]::new));
  }

  /** The numbers of the golden's calls that made the vectors: of the query, of the passage. */
  @ParameterizedTest
  @CsvSource({
    "1, 2,",
    "0, 2, --query-prompt=other",
    "5, 2, --query-prompt=",
    "1, 5, --passage-prompt=",
    "1, 3, --passage-prompt=document"
  })
  void query_and_passages_have_prompts_of_their_own(int query, int passage, String option)
      throws IOException {
    assertEquals(0, option == null ? run() : run(option), err.toString());
    JsonNode ofQuery = calls.path(query).path("vectors").path(2);
    JsonNode ofPassage = calls.path(passage).path("vectors").path(0);
    double dot = 0;
    for (int i = 0; i < ofQuery.size(); i++) {
      dot += ofQuery.path(i).doubleValue() * ofPassage.path(i).doubleValue();
    }
    JsonNode hit = new ObjectMapper().readTree(out.toByteArray()).path("results").path(0);
    assertEquals("Hello World!", hit.path("text").textValue());
    assertEquals(dot, hit.path("score").doubleValue(), 1e-5);
  }

  @Test
  void an_index_of_another_prompt_is_built_anew() {
    String index = "--index=" + folder.resolve("index");
    assertEquals(0, run(index));
    assertEquals(0, run(index, "--query-prompt="));
    assertTrue(!err.toString().contains("built anew"), err.toString());
    assertEquals(0, run(index, "--passage-prompt=other"));
    assertTrue(err.toString().contains("made with another model: built anew"), err.toString());
  }

  @Test
  void a_prompt_that_is_not_there_is_named() {
    assertEquals(1, run("--passage-prompt=text"));
    assertTrue(
        err.toString()
            .contains(
                "--passage-prompt text: the model has no prompt 'text', its prompts are [query,"
                    + " document, other]"),
        err.toString());
  }
}
