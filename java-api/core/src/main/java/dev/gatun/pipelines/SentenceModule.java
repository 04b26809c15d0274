package dev.gatun.pipelines;

import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** A module of a sentence model behind its transformer. */
sealed interface SentenceModule extends AutoCloseable {
  /** What modules read and write. */
  enum Feature {
    /** The vectors of all tokens. */
    TOKEN_EMBEDDINGS,
    /** The vectors of texts. */
    SENTENCE_EMBEDDING
  }

  Feature from();

  Feature to();

  /** The features of what it makes of vectors with some. */
  int features(int of);

  @Override
  default void close() {}

  /** A module that makes a vector of each vector. */
  sealed interface EachVector extends SentenceModule {
    Tensor forward(Tensor x);
  }

  /**
   * Tokens to texts.
   *
   * @param modes whose vectors are put side by side
   * @param includePrompt whether the tokens of a prompt are pooled too
   */
  record Pool(List<Pooling> modes, boolean includePrompt) implements SentenceModule {
    @Override
    public Feature from() {
      return Feature.TOKEN_EMBEDDINGS;
    }

    @Override
    public Feature to() {
      return Feature.SENTENCE_EMBEDDING;
    }

    @Override
    public int features(int of) {
      return modes.size() * of;
    }

    Tensor forward(PooledTokens tokens) {
      List<Tensor> parts = modes.stream().map(mode -> mode.pool(tokens)).toList();
      return parts.size() == 1 ? parts.getFirst() : Layouts.concat(-1, parts);
    }
  }

  /** {@code activation(x weightᵀ + bias)}, and {@code x}, or its projection, where there is one. */
  record Dense(Feature from, Feature to, Linear linear, boolean residual, Linear projection)
      implements EachVector {
    @Override
    public int features(int of) {
      return (int) linear.outFeatures();
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor y = linear.forward(x);
      return residual ? Elementwise.add(y, projection == null ? x : projection.forward(x)) : y;
    }

    @Override
    public void close() {
      linear.close();
      if (projection != null) {
        projection.close();
      }
    }
  }

  /** Vectors of length one. */
  record Normalize(Feature from, Feature to) implements EachVector {
    @Override
    public int features(int of) {
      return of;
    }

    @Override
    public Tensor forward(Tensor x) {
      return Norm.l2Normalize(x);
    }
  }

  /** Layer normalisation. */
  record Normed(LayerNorm norm) implements EachVector {
    @Override
    public Feature from() {
      return Feature.SENTENCE_EMBEDDING;
    }

    @Override
    public Feature to() {
      return Feature.SENTENCE_EMBEDDING;
    }

    @Override
    public int features(int of) {
      return of;
    }

    @Override
    public Tensor forward(Tensor x) {
      return norm.forward(x);
    }

    @Override
    public void close() {
      norm.close();
    }
  }
}
