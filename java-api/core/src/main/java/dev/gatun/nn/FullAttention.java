package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/**
 * Attention of tokens to all tokens of a sequence: their own in an encoder, an encoder's in a
 * decoder.
 *
 * @param heads of queries, keys and values
 * @param headSize elements of a head
 * @param scores what becomes of a score
 * @param dropout of the probabilities
 */
public record FullAttention(int heads, int headSize, Attention.Scores scores, Dropout dropout) {
  /**
   * Attention without dropout.
   *
   * @param heads of queries, keys and values
   * @param headSize elements of a head
   * @param scores what becomes of a score
   */
  public FullAttention(int heads, int headSize, Attention.Scores scores) {
    this(heads, headSize, scores, Dropout.NONE);
  }

  /**
   * {@return the same with a bias of the scores}
   *
   * @param bias F32 [batch or 1, heads or 1, query_length or 1, key_length or 1], its owner's; or
   *     null for none
   */
  public FullAttention withBias(Tensor bias) {
    return new FullAttention(heads, headSize, scores.withBias(bias), dropout);
  }

  /**
   * {@return the same with a dropout of the probabilities}
   *
   * @param other the dropout; {@link Dropout#NONE} for none
   */
  public FullAttention withDropout(Dropout other) {
    return new FullAttention(heads, headSize, scores, other);
  }

  /**
   * {@return what a cache keeps of a token in so many layers}
   *
   * @param layers with such attention
   * @param dtype of the keys and values: F32, BF16, F16 or I8
   */
  public KvCache.Shape cacheShape(int layers, DType dtype) {
    return new KvCache.Shape(layers, heads, headSize, dtype);
  }

  /**
   * Attention to the tokens' own sequences.
   *
   * @param qkv [tokens, 3 heads head_size]: the queries' heads, then the keys', then the values'
   * @param segments where each sequence's tokens begin
   * @param withWeights whether to give the probabilities too: [sequences, heads, longest, longest]
   * @return the output [tokens, heads head_size], of qkv's dtype
   */
  public Attention.Result self(Tensor qkv, Segments segments, boolean withWeights) {
    Attention.Keys keys = Attention.Keys.ragged(part(qkv, 1), part(qkv, 2), segments);
    return result(part(qkv, 0), segments, keys, withWeights);
  }

  /**
   * The keys and values of sequences that tokens of others attend to.
   *
   * @param keysAndValues [tokens, 2 heads head_size]: the keys' heads, then the values'
   * @param segments where each sequence's tokens begin
   * @return views of them, valid as long as they are
   */
  public Attention.Keys keys(Tensor keysAndValues, Segments segments) {
    return Attention.Keys.ragged(part(keysAndValues, 0), part(keysAndValues, 1), segments);
  }

  /**
   * Attention to other sequences.
   *
   * @param query [tokens, heads head_size]
   * @param queries where each sequence of queries begins
   * @param keys of as many sequences
   * @param withWeights whether to give the probabilities too: [sequences, heads, longest, keys]
   * @return the output [tokens, heads head_size], of the query's dtype
   */
  public Attention.Result cross(
      Tensor query, Segments queries, Attention.Keys keys, boolean withWeights) {
    // Of signed bytes attention computes in the model's own type.
    DType kept = keys.key().dtype();
    Tensor given = kept == DType.I8 ? query : Elementwise.cast(query, kept);
    Attention.Result result = result(part(given, 0), queries, keys, withWeights);
    Tensor output = Elementwise.cast(result.output(), query.dtype());
    return new Attention.Result(output, null, result.weights());
  }

  private Attention.Result result(
      Tensor query, Segments queries, Attention.Keys keys, boolean withWeights) {
    Attention.Result result =
        Attention.scaledDotProductAttention(
            query, queries, keys, scores, Attention.Mask.NONE, dropout.mask(), false, withWeights);
    long width = (long) heads * headSize;
    Tensor output = result.output().reshape(query.size(0), width);
    return new Attention.Result(output, null, result.weights());
  }

  /** Queries, keys or values of a packed projection, a view. */
  private Tensor part(Tensor packed, int which) {
    return packed.strided(
        (long) which * heads * headSize,
        new long[] {packed.size(0), heads, headSize},
        new long[] {packed.size(1), headSize, 1});
  }
}
