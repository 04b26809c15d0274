package dev.gatun.cli;

import dev.gatun.generation.Constraint;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What a text is held to. */
final class ConstraintOptions {
  @ArgGroup(heading = "What the text must be, one of these:%n")
  private Given given;

  private static final class Given {
    @Option(names = "--json-object", description = "A JSON object.", required = true)
    private boolean jsonObject;

    @Option(
        names = "--regex",
        paramLabel = "R",
        required = true,
        description = "What the regular expression R matches as a whole (ECMA-262's syntax).")
    private String regex;

    @Option(
        names = "--choice",
        paramLabel = "TEXT",
        required = true,
        description = "TEXT; given several times, one of them.")
    private List<String> choices;
  }

  /** The constraint; empty for none. */
  Optional<Constraint> constraint() {
    if (given == null) {
      return Optional.empty();
    }
    try {
      if (given.regex != null) {
        return Optional.of(Constraint.regex(given.regex));
      }
      return Optional.of(
          given.choices != null ? Constraint.choice(given.choices) : Constraint.jsonObject());
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }
}
