package dev.gatun.generation;

import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.nn.KvSequence;
import dev.gatun.text.Tokenizer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** What somebody asked for: its sequences' ends are collected here. Used by the engine's thread. */
final class Request {
  private final GenerationConfig config;
  private final TokenHistory prompt;
  private final int[] source;
  private final int maxLength;
  private final long seed;
  private final Tokenizer tokenizer;
  private final TokenAutomaton constraint;
  private final GenerationStream stream;
  private final long start = System.nanoTime();
  private final Completion[] completions;
  private long firstToken;
  private int left;
  private int cachedTokens;
  private int guessed;
  private int taken;
  private String speculationOff;
  private KvSequence encoded;

  /**
   * A request that has not begun.
   *
   * @param prompt what the model goes on from
   * @param source what its encoder reads; null without one
   * @param maxLength the most tokens of a sequence, the prompt's counted
   * @param tokenizer null where only ids are wanted
   * @param constraint what the text must match; null for anything
   */
  Request(
      GenerationConfig config,
      int[] prompt,
      int[] source,
      int maxLength,
      long seed,
      Tokenizer tokenizer,
      TokenAutomaton constraint,
      GenerationStream stream) {
    this.config = config;
    this.prompt = new TokenHistory(prompt);
    this.source = source;
    this.maxLength = maxLength;
    this.seed = seed;
    this.tokenizer = tokenizer;
    this.constraint = constraint;
    this.stream = stream;
    this.left = config.numReturnSequences();
    this.completions = new Completion[left];
  }

  GenerationConfig config() {
    return config;
  }

  TokenHistory prompt() {
    return prompt;
  }

  /** What the model's encoder reads; null without one. */
  int[] source() {
    return source;
  }

  /** What the encoder made of it; null while it has not, and without one. */
  KvSequence encoded() {
    return encoded;
  }

  void encoded(KvSequence sequence) {
    encoded = sequence;
  }

  /** Gives what the encoder made back. */
  void release() {
    if (encoded != null) {
      encoded.close();
      encoded = null;
    }
  }

  int maxLength() {
    return maxLength;
  }

  long seed() {
    return seed;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /** What the text must match; null for anything. */
  TokenAutomaton constraint() {
    return constraint;
  }

  GenerationStream stream() {
    return stream;
  }

  /** Whether the asked time is over. */
  boolean isOverdue() {
    return config.maxTime().isPresent()
        && System.nanoTime() - start > config.maxTime().get().toNanos();
  }

  /** Counts prompt tokens that the cache had, once. */
  void cached(int tokens) {
    cachedTokens = Math.max(cachedTokens, tokens);
  }

  /** Counts guesses that were verified, and those that were right. */
  void guessed(int count, int right) {
    guessed += count;
    taken += right;
  }

  /** Says why there are no guesses now; null where there are. */
  void speculationOff(String reason) {
    speculationOff = reason;
  }

  /** Tells a chunk. */
  void tell(TextChunk chunk) {
    if (firstToken == 0) {
      firstToken = System.nanoTime();
    }
    stream.add(chunk);
  }

  /** Takes a sequence's end; the last one ends the request. */
  void end(int index, Completion completion) {
    completions[index] = completion;
    left--;
    if (left == 0) {
      complete(config.numReturnSequences());
    }
  }

  /** Ends the request with fewer sequences than were asked for. */
  void complete(int count) {
    release();
    long now = System.nanoTime();
    long first = firstToken == 0 ? now : firstToken;
    List<Completion> all = List.of(Arrays.copyOf(completions, count));
    stream.complete(
        new GenerationResult(
            all,
            source == null ? prompt.length() : source.length,
            cachedTokens,
            seed,
            Duration.ofNanos(first - start),
            Duration.ofNanos(now - first),
            new Speculation(guessed, taken, speculationOff)));
  }
}
