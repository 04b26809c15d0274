package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.FinishReason;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationResult;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts that are written for a call, which has waited for its turn; closing it gives the turn up.
 * What it was told of ended texts makes the answer's counts and times.
 */
final class Generation implements AutoCloseable {
  private final GenerativeModel model;
  private final Call call;
  private final Slots.Lease lease;
  private final Wanted wanted;
  private final double queueSeconds;
  private final List<GenerationResult> results = new ArrayList<>();

  /**
   * What a call wants written.
   *
   * @param config how; its {@code numReturnSequences} are {@code texts / copies}
   * @param texts how many of each prompt
   * @param copies how often each text is given: those without sampling are equal, and one is
   *     written
   */
  record Wanted(GenerationConfig config, int texts, int copies) {
    /**
     * Settles the settings.
     *
     * @throws ApiException where they have no meaning
     */
    static Wanted of(GenerationConfig.Builder settings, int texts) {
      try {
        int copies = settings.build().temperature() == 0 ? texts : 1;
        return new Wanted(settings.numReturnSequences(texts / copies).build(), texts, copies);
      } catch (IllegalArgumentException e) {
        throw ApiException.badRequest(null, "invalid_value", e.getMessage());
      }
    }
  }

  /**
   * Waits for the call's turn.
   *
   * @param prompts how many there are
   * @throws ApiException where too many wait
   */
  Generation(GenerativeModel model, Call call, Wanted wanted, int prompts)
      throws InterruptedException {
    this.model = model;
    this.call = call;
    this.wanted = wanted;
    long start = System.nanoTime();
    this.lease = model.slots().acquire(prompts * (wanted.texts / wanted.copies), call.limits());
    this.queueSeconds = (System.nanoTime() - start) / 1e9;
    model.metrics().queue.add(queueSeconds);
  }

  /** Has the texts cancelled when the call is to end. */
  void begun(Runnable cancel) {
    call.onAbort(cancel);
  }

  /** Takes what a prompt gave; fails where the call is to end. */
  void ended(GenerationResult result) {
    call.check();
    if (result.completions().stream().anyMatch(c -> c.reason() == FinishReason.CANCELLED)) {
      throw new IllegalStateException("the text was cancelled by nobody here");
    }
    Metrics.OfModel metrics = model.metrics();
    metrics.promptTokens.add(result.promptTokens());
    metrics.cachedTokens.add(result.cachedTokens());
    metrics.generatedTokens.add(result.generatedTokens());
    metrics.firstToken.add(result.promptTime().toNanos() / 1e9);
    results.add(result);
  }

  /** How many tokens there were, as OpenAI counts them. */
  ObjectNode usage() {
    int read = results.stream().mapToInt(GenerationResult::promptTokens).sum();
    int cached = results.stream().mapToInt(GenerationResult::cachedTokens).sum();
    int written =
        wanted.copies * results.stream().mapToInt(GenerationResult::generatedTokens).sum();
    ObjectNode usage =
        Json.object()
            .put("prompt_tokens", read)
            .put("completion_tokens", written)
            .put("total_tokens", read + written);
    usage.putObject("prompt_tokens_details").put("cached_tokens", cached);
    return usage;
  }

  /** How long it took, by the names that llama.cpp's server has. */
  ObjectNode timings() {
    double prompt = 0;
    double text = 0;
    int read = 0;
    int written = 0;
    int texts = 0;
    for (GenerationResult result : results) {
      prompt = Math.max(prompt, result.promptTime().toNanos() / 1e6);
      text = Math.max(text, result.generationTime().toNanos() / 1e6);
      read += result.promptTokens() - result.cachedTokens();
      written += result.generatedTokens();
      texts += result.completions().size();
    }
    return Json.object()
        .put("queue_ms", rounded(queueSeconds * 1000))
        .put("prompt_n", read)
        .put("prompt_ms", rounded(prompt))
        .put("prompt_per_second", rate(read, prompt))
        .put("predicted_n", written)
        .put("predicted_ms", rounded(text))
        // The first token of each text comes with the prompt.
        .put("predicted_per_second", rate(Math.max(0, written - texts), text));
  }

  private static double rate(int tokens, double milliseconds) {
    return milliseconds == 0 ? 0 : rounded(1000 * tokens / milliseconds);
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  @Override
  public void close() {
    lease.close();
  }
}
