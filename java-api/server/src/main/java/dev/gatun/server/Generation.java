package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.FinishReason;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextChunk;
import dev.gatun.generation.TextGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts that are written for a call: for each prompt as many as it asks for. It has its turn when
 * it is made, and gives it up when it is closed.
 */
final class Generation implements AutoCloseable {
  /** Takes what comes of a text. */
  interface Sink {
    /**
     * @param index of the text: those of the first prompt come first
     */
    void take(int index, TextChunk chunk) throws IOException;
  }

  private final GenerativeModel model;
  private final Call call;
  private final Slots.Lease lease;
  private final List<GenerationStream> streams = new ArrayList<>();
  private final List<GenerationResult> results = new ArrayList<>();
  private final int texts;
  private final int copies;
  private final double queueSeconds;

  private Generation(
      GenerativeModel model,
      Call call,
      List<int[]> prompts,
      GenerationConfig.Builder settings,
      int texts,
      boolean greedy)
      throws InterruptedException {
    this.model = model;
    this.call = call;
    this.texts = texts;
    // Texts without sampling are equal: one is written.
    this.copies = greedy ? texts : 1;
    GenerationConfig config = settings.numReturnSequences(texts / copies).build();
    prompts.forEach(prompt -> requireRoom(model, prompt));
    long start = System.nanoTime();
    this.lease = model.slots().acquire(prompts.size() * (texts / copies), call.limits());
    this.queueSeconds = (System.nanoTime() - start) / 1e9;
    model.metrics().queue.add(queueSeconds);
    try {
      for (int[] prompt : prompts) {
        streams.add(model.generator().stream(prompt, config));
      }
      call.onAbort(() -> streams.forEach(GenerationStream::cancel));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Waits for its turn and begins.
   *
   * @param texts how many for each prompt
   * @throws ApiException where a setting is wrong or a prompt does not fit
   */
  static Generation start(
      GenerativeModel model,
      Call call,
      List<int[]> prompts,
      GenerationConfig.Builder settings,
      int texts)
      throws InterruptedException {
    boolean greedy;
    try {
      greedy = settings.build().temperature() == 0;
      return new Generation(model, call, prompts, settings, texts, greedy);
    } catch (IllegalArgumentException e) {
      throw ApiException.badRequest(null, "invalid_value", e.getMessage());
    }
  }

  private static void requireRoom(GenerativeModel model, int... prompt) {
    TextGenerator generator = model.generator();
    int most = generator.maxSourceLength().orElse(generator.maxLength() - 1);
    if (prompt.length > most) {
      throw ApiException.badRequest(
          null,
          "context_length_exceeded",
          "the prompt has %d tokens, the model %s reads at most %d"
              .formatted(prompt.length, model.name(), most));
    }
  }

  /** Gives what comes to a sink until all texts have ended. */
  void forEach(Sink sink) throws IOException {
    for (int i = 0; i < streams.size(); i++) {
      for (TextChunk chunk : streams.get(i)) {
        for (int copy = 0; copy < copies; copy++) {
          sink.take(i * texts + chunk.index() + copy, chunk);
        }
      }
      end(streams.get(i).result());
    }
  }

  /** Waits until all texts have ended. */
  void await() {
    for (GenerationStream stream : streams) {
      end(stream.result());
    }
  }

  private void end(GenerationResult result) {
    call.check();
    if (result.completions().getFirst().reason() == FinishReason.CANCELLED) {
      throw new IllegalStateException("the text was cancelled by nobody here");
    }
    Metrics.OfModel metrics = model.metrics();
    metrics.promptTokens.add(result.promptTokens());
    metrics.cachedTokens.add(result.cachedTokens());
    metrics.generatedTokens.add(result.generatedTokens());
    metrics.firstToken.add(result.promptTime().toNanos() / 1e9);
    results.add(result);
  }

  /** What a prompt gave, once it has ended. */
  GenerationResult result(int prompt) {
    return results.get(prompt);
  }

  /** How many prompts have ended. */
  int ended() {
    return results.size();
  }

  /** The completion of a text that has ended. */
  dev.gatun.generation.Completion completion(int index) {
    int of = copies > 1 ? 0 : index % texts;
    return results.get(index / texts).completions().get(of);
  }

  /** How many texts there are of all prompts. */
  int texts() {
    return streams.size() * texts;
  }

  /** How many tokens there were, as OpenAI counts them. */
  ObjectNode usage() {
    int read = results.stream().mapToInt(GenerationResult::promptTokens).sum();
    int cached = results.stream().mapToInt(GenerationResult::cachedTokens).sum();
    int written = copies * results.stream().mapToInt(GenerationResult::generatedTokens).sum();
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
    for (GenerationResult result : results) {
      prompt = Math.max(prompt, result.promptTime().toNanos() / 1e6);
      text = Math.max(text, result.generationTime().toNanos() / 1e6);
      read += result.promptTokens() - result.cachedTokens();
      written += result.generatedTokens();
    }
    // The first token of each text comes with the prompt.
    int after = Math.max(0, written - texts() / copies);
    return Json.object()
        .put("queue_ms", rounded(queueSeconds * 1000))
        .put("prompt_n", read)
        .put("prompt_ms", rounded(prompt))
        .put("prompt_per_second", rate(read, prompt))
        .put("predicted_n", written)
        .put("predicted_ms", rounded(text))
        .put("predicted_per_second", rate(after, text));
  }

  private static double rate(int tokens, double milliseconds) {
    return milliseconds == 0 ? 0 : rounded(1000 * tokens / milliseconds);
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  @Override
  public void close() {
    streams.forEach(GenerationStream::close);
    lease.close();
  }
}
