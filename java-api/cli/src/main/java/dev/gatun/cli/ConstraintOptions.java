package dev.gatun.cli;

import dev.gatun.generation.Constraint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What a text is held to. */
final class ConstraintOptions {
  @ArgGroup(heading = "What the text must be, one of these:%n")
  private Given given;

  private static final class Given {
    @Option(
        names = "--json-schema",
        paramLabel = "SCHEMA",
        required = true,
        description = "JSON that the schema takes: a file, or the schema itself, {...}.")
    private String jsonSchema;

    @Option(names = "--json-object", required = true, description = "A JSON object.")
    private boolean jsonObject;

    @Option(
        names = "--regex",
        paramLabel = "R",
        required = true,
        description = "What the regular expression R matches as a whole (ECMA-262's syntax).")
    private String regex;

    @Option(
        names = "--grammar",
        paramLabel = "FILE",
        required = true,
        description = "What the grammar in FILE derives (llama.cpp's notation, GBNF).")
    private Path grammar;

    @Option(
        names = "--choice",
        paramLabel = "TEXT",
        required = true,
        description = "TEXT; given several times, one of them.")
    private List<String> choices;
  }

  /** The constraint; empty for none. */
  Optional<Constraint> constraint() throws IOException {
    if (given == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(read());
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }

  private Constraint read() throws IOException {
    if (given.jsonSchema != null) {
      boolean itself = given.jsonSchema.strip().startsWith("{");
      return Constraint.jsonSchema(
          itself ? given.jsonSchema : TextFiles.read("--json-schema", Path.of(given.jsonSchema)));
    }
    if (given.regex != null) {
      return Constraint.regex(given.regex);
    }
    if (given.grammar != null) {
      return Constraint.grammar(TextFiles.read("--grammar", given.grammar));
    }
    return given.choices != null ? Constraint.choice(given.choices) : Constraint.jsonObject();
  }
}
