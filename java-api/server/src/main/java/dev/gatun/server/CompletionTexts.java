package dev.gatun.server;

import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextChunk;
import dev.gatun.generation.TextGenerator;
import dev.gatun.server.Generation.Wanted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The texts that go on from some prompts; those of the first prompt come first. */
final class CompletionTexts implements AutoCloseable {
  /** Takes what comes of a text. */
  interface Sink {
    void take(int index, TextChunk chunk) throws IOException;
  }

  private final Generation generation;
  private final Wanted wanted;
  private final List<GenerationStream> streams = new ArrayList<>();
  private final List<GenerationResult> results = new ArrayList<>();

  /**
   * Begins them.
   *
   * @throws ApiException where the generator refuses a prompt or a setting
   */
  CompletionTexts(
      GenerativeModel model, Generation generation, Wanted wanted, List<int[]> prompts) {
    this.generation = generation;
    this.wanted = wanted;
    try {
      for (int[] prompt : prompts) {
        streams.add(model.generator().stream(prompt, wanted.config()));
      }
      generation.begun(() -> streams.forEach(GenerationStream::cancel));
    } catch (IllegalArgumentException e) {
      close();
      throw ApiException.badRequest("prompt", "invalid_value", e.getMessage());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Whether the model has room for a prompt.
   *
   * @throws ApiException where it has not
   */
  static void requireRoom(GenerativeModel model, int... prompt) {
    TextGenerator generator = model.generator();
    int most = generator.maxSourceLength().orElse(generator.maxLength() - 1);
    if (prompt.length > most) {
      throw ApiException.badRequest(
          "prompt",
          "context_length_exceeded",
          "the prompt has %d tokens, the model %s reads at most %d"
              .formatted(prompt.length, model.name(), most));
    }
  }

  /** Gives what comes to a sink until all have ended. */
  void forEach(Sink sink) throws IOException {
    for (GenerationStream stream : streams) {
      for (TextChunk chunk : stream) {
        for (int copy = 0; copy < wanted.copies(); copy++) {
          sink.take(results.size() * wanted.texts() + chunk.index() + copy, chunk);
        }
      }
      end(stream);
    }
  }

  /** Waits until all have ended. */
  void await() {
    streams.forEach(this::end);
  }

  private void end(GenerationStream stream) {
    GenerationResult result = stream.result();
    generation.ended(result);
    results.add(result);
  }

  int count() {
    return streams.size() * wanted.texts();
  }

  /** One that has ended. */
  Completion get(int index) {
    int of = wanted.copies() > 1 ? 0 : index % wanted.texts();
    return results.get(index / wanted.texts()).completions().get(of);
  }

  @Override
  public void close() {
    streams.forEach(GenerationStream::close);
  }
}
