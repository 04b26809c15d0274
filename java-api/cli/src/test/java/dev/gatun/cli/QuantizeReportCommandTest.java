package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeReportCommandTest {
  private static CommandRun run(String... arguments) {
    return CommandRun.of(new FakeEmbedder(20, ""), "", arguments);
  }

  @Test
  void tellsWhatEachFormatCosts(@TempDir Path folder) throws Exception {
    Path texts = folder.resolve("texts.txt");
    Files.writeString(texts, "one text\n\nand another\n");
    CommandRun run =
        run("quantize-report", "--texts", texts.toString(), "--formats", "INT8,Q4_K", "--json");
    assertEquals(0, run.code(), run.err());
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertEquals(2, report.get("texts").asInt());
    JsonNode exact = report.get("rows").get(0);
    assertEquals("INT8", exact.get("weights").asText());
    assertEquals("exact", exact.get("activations").asText());
    assertTrue(exact.get("weight_error").asDouble() > 0.001, exact::toString);
    assertTrue(exact.get("weight_error").asDouble() < 0.02, exact::toString);
    assertTrue(exact.get("least_cosine").asDouble() > 0.99, exact::toString);
    assertTrue(exact.get("mean_cosine").asDouble() <= 1.000001, exact::toString);
    // The rows of its weights have 384 elements.
    assertTrue(
        report.get("rows").get(2).get("reason").asText().contains("blocks of 256"),
        report::toString);
  }

  /** What int4 loses on the bundled model by two storages; the wider one is for a part alone. */
  @Test
  void leavesTheMostSensitiveLayersWider() throws Exception {
    CommandRun run =
        run("quantize-report", "--formats", "INT4_ZERO:32,INT4_ZERO:32+INT8", "--json");
    assertEquals(0, run.code(), run.err());
    JsonNode rows = new ObjectMapper().readTree(run.out()).get("rows");
    JsonNode narrow = rows.get(1);
    JsonNode pair = rows.get(2);
    assertEquals("int8 blocks", narrow.get("activations").asText());
    assertTrue(narrow.get("mean_cosine").asDouble() < 0.98, narrow::toString);
    assertEquals("INT4_ZERO:32+INT8", pair.get("weights").asText());
    assertTrue(pair.get("mean_cosine").asDouble() >= 0.985, pair::toString);
    assertTrue(pair.get("least_cosine").asDouble() > 0.95, pair::toString);
    assertTrue(pair.get("bits").asDouble() < 6.2, pair::toString);
    int wider = pair.get("wider_layers").size();
    assertTrue(wider > 0 && wider < 24, pair::toString);
    CommandRun target = run("quantize-report", "--mean-cosine", "2");
    assertEquals(2, target.code());
    assertTrue(target.err().contains("--mean-cosine: 2.0, expected at most 1"), target.err());
  }

  @Test
  void namesWhatIsWrong(@TempDir Path folder) throws Exception {
    CommandRun format = run("quantize-report", "--formats", "INT3");
    assertEquals(2, format.code());
    assertTrue(
        format.err().contains("no block format \"INT3\", expected one of INT8"), format.err());
    CommandRun model = run("quantize-report", folder.resolve("nothing").toString());
    assertEquals(1, model.code());
    assertTrue(model.err().contains("not a model directory"), model.err());
    Path empty = Files.writeString(folder.resolve("empty.txt"), "\n \n");
    CommandRun texts = run("quantize-report", "--texts", empty.toString());
    assertTrue(texts.err().contains("has no texts, expected one a line"), texts.err());
  }
}
