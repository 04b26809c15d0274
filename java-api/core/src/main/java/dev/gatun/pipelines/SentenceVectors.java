package dev.gatun.pipelines;

import dev.gatun.models.EncoderModel;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Norm;
import dev.gatun.pipelines.SentenceModule.Feature;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The modules behind a sentence model's transformer, and what is done with the vectors of texts at
 * the end.
 *
 * @param modules in their order
 * @param truncateDim how many features of a vector are kept; null for all
 * @param normalize whether vectors get length one at the end, whatever modules do
 * @param hidden the features of a token
 */
record SentenceVectors(
    List<SentenceModule> modules, Integer truncateDim, boolean normalize, int hidden)
    implements AutoCloseable {

  /**
   * The modules of a model, with what options say otherwise.
   *
   * @param read null where the model has no list of them: a mean, of length one
   */
  static SentenceVectors of(
      List<SentenceModule> read,
      TextModel model,
      EmbeddingPipeline.Options options,
      Integer truncateDim) {
    List<SentenceModule> modules =
        new ArrayList<>(
            read != null ? read : List.of(new SentenceModule.Pool(List.of(Pooling.MEAN), true)));
    if (options.pooling() != null) {
      modules.replaceAll(
          module ->
              module instanceof SentenceModule.Pool pool
                  ? new SentenceModule.Pool(List.of(options.pooling()), pool.includePrompt())
                  : module);
    }
    boolean normalize = read == null;
    if (options.normalize() != null) {
      normalize = options.normalize();
      if (!normalize) {
        while (modules.getLast() instanceof SentenceModule.Normalize) {
          modules.removeLast();
        }
      }
    }
    return new SentenceVectors(
        List.copyOf(modules),
        options.truncateDim() != null ? options.truncateDim() : truncateDim,
        normalize,
        model.hiddenSize());
  }

  /** The features of a vector. */
  int dimension() {
    int[] features = new int[Feature.values().length];
    features[Feature.TOKEN_EMBEDDINGS.ordinal()] = hidden;
    for (SentenceModule module : modules) {
      features[module.to().ordinal()] = module.features(features[module.from().ordinal()]);
    }
    int all = features[Feature.SENTENCE_EMBEDDING.ordinal()];
    return truncateDim == null ? all : Math.min(all, truncateDim);
  }

  /** Whether the tokens of a prompt are not pooled. */
  boolean skipsPrompt() {
    return modules.stream()
        .anyMatch(module -> module instanceof SentenceModule.Pool pool && !pool.includePrompt());
  }

  /**
   * The vectors [texts, features] of texts, to be closed by the caller's scope.
   *
   * @param encoded the transformer's last hidden states
   * @param lengths the tokens of each text
   * @param prompt how many of each text's tokens are a prompt's
   */
  Tensor forward(EncoderModel.Encoded encoded, int[] lengths, int prompt) {
    try (Scope scope = Scope.open()) {
      Tensor tokens = encoded.hidden();
      Tensor sentences = null;
      for (SentenceModule module : modules) {
        switch (module) {
          case SentenceModule.Pool pool -> {
            int skipped = pool.includePrompt() ? 0 : prompt;
            sentences =
                skipped == 0
                    ? pool.forward(new PooledTokens(tokens, encoded.segments(), lengths, 0))
                    : withoutPrompt(pool, tokens, lengths, skipped);
          }
          case SentenceModule.EachVector each -> {
            if (each.to() == Feature.SENTENCE_EMBEDDING) {
              sentences = each.forward(sentences);
            } else {
              tokens = each.forward(tokens);
            }
          }
        }
      }
      if (truncateDim != null && truncateDim < sentences.size(1)) {
        sentences = Layouts.contiguous(sentences.slice(1, 0, truncateDim));
      }
      return scope.keep(normalize ? Norm.l2Normalize(sentences) : sentences);
    }
  }

  private static Tensor withoutPrompt(
      SentenceModule.Pool pool, Tensor tokens, int[] lengths, int skipped) {
    int[] left = new int[lengths.length];
    int count = 0;
    for (int i = 0; i < lengths.length; i++) {
      left[i] = lengths[i] - skipped;
      if (left[i] < 1) {
        throw new IllegalArgumentException(
            "text %d: all its %d tokens are the prompt's, which are not pooled: expected a shorter prompt or a longer text"
                .formatted(i, lengths[i]));
      }
      count += left[i];
    }
    long[] rows = new long[count];
    int to = 0;
    int from = 0;
    for (int length : lengths) {
      for (int token = skipped; token < length; token++) {
        rows[to++] = from + token;
      }
      from += length;
    }
    Device device = tokens.device();
    try (Ids ids = Ids.of(device, "tokens", tokens.size(0), rows);
        Segments segments = Segments.of(device, left)) {
      Tensor kept = Indexing.indexSelect(tokens, 0, ids);
      return pool.forward(new PooledTokens(kept, segments, left, skipped));
    }
  }

  @Override
  public void close() {
    modules.forEach(SentenceModule::close);
  }
}
