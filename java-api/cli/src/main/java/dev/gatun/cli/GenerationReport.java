package dev.gatun.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.gatun.generation.Completion;
import dev.gatun.generation.GeneratedToken;
import dev.gatun.generation.GenerationResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What {@code gatun generate --json} prints. */
record GenerationReport(
    String model,
    @JsonProperty("prompt_tokens") int promptTokens,
    @JsonProperty("cached_tokens") int cachedTokens,
    long seed,
    @JsonProperty("prompt_seconds") double promptSeconds,
    @JsonProperty("generation_seconds") double generationSeconds,
    List<Text> completions) {

  /** A sequence. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Text(
      String text,
      int[] ids,
      String reason,
      @JsonProperty("stop_string") String stopString,
      Float score,
      List<Token> logprobs) {}

  /** A token's log-probability and the most likely ones'. */
  record Token(int id, float logprob, List<Best> top) {}

  /** One of the most likely tokens. */
  record Best(int id, float logprob) {}

  static GenerationReport of(Path model, GenerationResult result) {
    return new GenerationReport(
        model.toString(),
        result.promptTokens(),
        result.cachedTokens(),
        result.seed(),
        result.promptTime().toNanos() / 1e9,
        result.generationTime().toNanos() / 1e9,
        result.completions().stream().map(GenerationReport::text).toList());
  }

  private static Text text(Completion from) {
    boolean told = from.tokens().stream().anyMatch(token -> !Float.isNaN(token.logprob()));
    return new Text(
        from.text(),
        from.ids(),
        from.reason().name().toLowerCase(Locale.ROOT),
        from.stopString().orElse(null),
        Float.isNaN(from.score()) ? null : from.score(),
        told ? from.tokens().stream().map(GenerationReport::token).toList() : null);
  }

  private static Token token(GeneratedToken from) {
    return new Token(
        from.id(),
        from.logprob(),
        from.top().stream().map(best -> new Best(best.id(), best.logprob())).toList());
  }
}
