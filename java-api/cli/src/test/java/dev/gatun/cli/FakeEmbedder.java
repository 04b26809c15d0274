package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntConsumer;

/** A token a word; a dimension a letter, so that texts with the same letters are near. */
final class FakeEmbedder implements Embedder, EmbedderLoader {
  final List<String> seen = new ArrayList<>();

  /** The most tokens that were asked for at once. */
  int mostTokens;

  /** How many batches are embedded before the work is interrupted. */
  int batches = Integer.MAX_VALUE;

  private final int limit;
  private final String fingerprint;

  FakeEmbedder(int limit, String fingerprint) {
    this.limit = limit;
    this.fingerprint = fingerprint;
  }

  @Override
  public long[] tokens(String text) {
    return new long[text.isBlank() ? 2 : 2 + text.strip().split("\\s+").length];
  }

  @Override
  public int limit() {
    return limit;
  }

  @Override
  public float[] embed(String text) {
    seen.add(text);
    return letters(text);
  }

  @Override
  public float[][] embed(List<TokenizedPassage> passages, IntConsumer done) {
    if (batches-- == 0) {
      throw new IllegalStateException("interrupted");
    }
    int tokens = passages.stream().mapToInt(each -> each.inputIds().length).sum();
    mostTokens = Math.max(mostTokens, tokens);
    done.accept(passages.size());
    return passages.stream()
        .map(
            each -> {
              assertEquals(tokens(each.passage().text()).length, each.inputIds().length);
              return embed(each.passage().text());
            })
        .toArray(float[][]::new);
  }

  private static float[] letters(String text) {
    float[] counts = new float[26];
    for (char c : text.toLowerCase(Locale.ROOT).toCharArray()) {
      if (c >= 'a' && c <= 'z') {
        counts[c - 'a']++;
      }
    }
    double norm = 0;
    for (float count : counts) {
      norm += (double) count * count;
    }
    for (int i = 0; i < counts.length; i++) {
      counts[i] = (float) (counts[i] / Math.max(Math.sqrt(norm), 1e-12));
    }
    return counts;
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  @Override
  public Embedder load(Path directory, String device, SearchPrompts prompts) {
    return this;
  }

  @Override
  public String backend(String device) {
    return "fake";
  }

  @Override
  public void close() {}
}
