package dev.gatun.cli;

import dev.gatun.generation.GenerationConfig;
import java.util.List;
import picocli.CommandLine.Option;

/** How tokens are chosen, and when a text ends. */
final class SamplingOptions {
  static final int MAX_NEW_TOKENS = 256;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description =
          "The most tokens to write; the model's setting when left out, or where it has none "
              + MAX_NEW_TOKENS
              + ", of a chat up to the end of the context.")
  private Integer maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Scores are divided by it; 0 takes the most likely token.")
  private Float temperature;

  @Option(names = "--top-k", paramLabel = "K", description = "Draws from the K most likely tokens.")
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draws from the most likely tokens whose probabilities reach P.")
  private Double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Draws from tokens of at least P times the highest probability.")
  private Double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "R",
      description = "Above 1, makes tokens less likely that are there already.")
  private Float repetitionPenalty;

  @Option(names = "--seed", paramLabel = "N", description = "Makes what is drawn repeatable.")
  private Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends the text where TEXT would come; may be given several times.")
  private List<String> stops;

  @Option(
      names = "--prompt-lookup",
      paramLabel = "N",
      description =
          "Guesses up to N tokens by what followed the last ones before; changes the speed alone.")
  private Integer promptLookup;

  /** Whether a length is asked for. */
  boolean limitsLength() {
    return maxNewTokens != null;
  }

  /** A model's settings, with those that are given in their place. */
  GenerationConfig.Builder apply(GenerationConfig defaults) {
    GenerationConfig.Builder builder = defaults.toBuilder();
    if (maxNewTokens != null) {
      builder.maxNewTokens(maxNewTokens);
    }
    if (temperature != null) {
      builder.temperature(temperature);
    }
    if (temperature != null && temperature > 0 || topK != null || topP != null || minP != null) {
      builder.doSample(true);
    }
    if (topK != null) {
      builder.topK(topK);
    }
    if (topP != null) {
      builder.topP(topP);
    }
    if (minP != null) {
      builder.minP(minP);
    }
    if (repetitionPenalty != null) {
      builder.repetitionPenalty(repetitionPenalty);
    }
    if (seed != null) {
      builder.seed(seed);
    }
    if (stops != null) {
      builder.stopStrings(stops);
    }
    if (promptLookup != null) {
      builder.promptLookupNumTokens(promptLookup);
    }
    return builder;
  }
}
