package dev.gatun.cli;

import dev.gatun.generation.GenerationConfig;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What an encoder-decoder reads, and how it writes. */
final class Seq2SeqOptions {
  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "What is read; standard input when left out.")
  private String text;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "The most tokens to write (the model's setting).")
  private Integer maxNewTokens;

  @Option(names = "--num-beams", paramLabel = "N", description = "Searches with N beams.")
  private Integer numBeams;

  @Option(
      names = "--length-penalty",
      paramLabel = "P",
      description = "Above 0, beams prefer longer texts; below 0, shorter ones.")
  private Float lengthPenalty;

  @Option(
      names = "--no-repeat-ngram-size",
      paramLabel = "N",
      description = "No sequence of N tokens comes twice.")
  private Integer noRepeatNgramSize;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  boolean json() {
    return json;
  }

  /** Whether the text was given on the command line. */
  boolean hasText() {
    return text != null;
  }

  /** The text, or all of standard input. */
  String text(Terminal terminal) throws IOException {
    return hasText() ? text : TextFiles.read(terminal);
  }

  GenerationConfig config(GenerationConfig defaults) {
    GenerationConfig.Builder builder = defaults.toBuilder();
    if (maxNewTokens != null) {
      builder.maxNewTokens(maxNewTokens);
    }
    if (numBeams != null) {
      builder.numBeams(numBeams);
    }
    if (lengthPenalty != null) {
      builder.lengthPenalty(lengthPenalty);
    }
    if (noRepeatNgramSize != null) {
      builder.noRepeatNgramSize(noRepeatNgramSize);
    }
    try {
      return builder.build();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
