package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.gatun.generation.Completion;
import dev.gatun.generation.Constraint;
import dev.gatun.generation.FinishReason;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TextGenerator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Decoders with random weights, which say nothing that a schema takes unless they are held to it.
 */
final class ConstrainedDecoderTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> SCHEMAS =
      List.of(
          """
          {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5},
            "age": {"type": "integer", "minimum": 1, "maximum": 120},
            "kind": {"enum": ["first", "second"]}},
           "required": ["name", "age", "kind"], "additionalProperties": false}
          """,
          """
          {"type": "array", "minItems": 1, "maxItems": 3, "items": {"anyOf": [
            {"type": "string", "pattern": "^[a-f]{1,3}$"}, {"type": "null"},
            {"type": "number", "minimum": -1.5, "exclusiveMaximum": 2}]}}
          """,
          """
          {"type": "string", "format": "date-time"}
          """,
          """
          {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}},
           "required": ["id"], "maxProperties": 1}
          """);

  @TempDir private Path folder;

  /** A golden decoder with the characters of ASCII as its tokens. */
  private void write(String golden) throws Exception {
    Path model = Path.of("goldens/decoders").resolve(golden);
    Files.copy(model.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    ObjectNode config = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
    Files.writeString(folder.resolve("config.json"), config.put("eos_token_id", 2).toString());
    ObjectNode tokenizer = JSON.createObjectNode();
    tokenizer
        .putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
    tokenizer.set("decoder", tokenizer.get("pre_tokenizer"));
    ObjectNode bpe = tokenizer.putObject("model").put("type", "BPE");
    ObjectNode vocab = bpe.putObject("vocab");
    List<String> tokens =
        new ArrayList<>(List.of("<pad>", "<s>", "</s>", "\u010a", "ab", "\u0120"));
    for (char c = '!'; c <= '~'; c++) {
      tokens.add(String.valueOf(c));
    }
    tokens.forEach(token -> vocab.put(token, vocab.size()));
    bpe.putArray("merges").add("a b");
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
  }

  @Test
  void what_is_written_validates() throws Exception {
    write("llama");
    int complete = 0;
    try (TextGenerator generator = TextGenerator.load(folder)) {
      for (String schema : SCHEMAS) {
        Constraint constraint = Constraint.jsonSchema(schema);
        Schema validator =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
        for (int seed = 0; seed < 6; seed++) {
          GenerationConfig config =
              GenerationConfig.builder()
                  .constraint(constraint)
                  .doSample(seed > 0)
                  .seed(seed)
                  .eosTokenId(List.of(2))
                  .build();
          Completion made = generator.generate("abc", config).completions().getFirst();
          if (made.reason() == FinishReason.LENGTH) {
            continue;
          }
          complete++;
          assertEquals(FinishReason.END_OF_TEXT, made.reason());
          var errors =
              validator.validate(
                  made.text(),
                  InputFormat.JSON,
                  run -> run.executionConfig(c -> c.formatAssertionsEnabled(true)));
          assertTrue(errors.isEmpty(), () -> made.text() + ": " + errors);
        }
      }
    }
    assertTrue(complete > 12, complete + " texts were complete");
  }
}
