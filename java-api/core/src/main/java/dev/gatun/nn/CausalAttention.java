package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * Attention of tokens to those before them in their sequence, and to themselves: of whole
 * sequences, or of their last tokens with a cache of what came before.
 *
 * @param heads of queries, a multiple of kvHeads
 * @param kvHeads of keys and of values (arXiv 2305.13245)
 * @param headSize elements of a head
 * @param rotary how queries and keys turn by their position; {@link RotaryPositionalEmbedding#none}
 *     where they do not
 * @param scores what becomes of a score
 * @param window how many tokens a token sees, itself included; 0 for all
 * @param dropout of the probabilities
 */
public record CausalAttention(
    int heads,
    int kvHeads,
    int headSize,
    RotaryPositionalEmbedding rotary,
    Attention.Scores scores,
    long window,
    Dropout dropout) {

  /**
   * {@return attention with scores divided by √head_size, to all tokens before, without dropout}
   *
   * @param heads of queries, a multiple of kvHeads
   * @param kvHeads heads of keys, and of values
   * @param headSize elements of a head
   * @param rotary how queries and keys turn by their position; {@link
   *     RotaryPositionalEmbedding#none} where they do not
   */
  public static CausalAttention of(
      int heads, int kvHeads, int headSize, RotaryPositionalEmbedding rotary) {
    float scale = (float) (1 / Math.sqrt(headSize));
    return new CausalAttention(
        heads, kvHeads, headSize, rotary, Attention.Scores.scaled(scale), 0, Dropout.NONE);
  }

  /**
   * {@return the same with a window}
   *
   * @param tokens how many a token sees, itself included; 0 for all
   */
  public CausalAttention withWindow(long tokens) {
    return new CausalAttention(heads, kvHeads, headSize, rotary, scores, tokens, dropout);
  }

  /**
   * {@return the same with other scores}
   *
   * @param other what becomes of a score
   */
  public CausalAttention withScores(Attention.Scores other) {
    return new CausalAttention(heads, kvHeads, headSize, rotary, other, window, dropout);
  }

  /**
   * {@return the same with a dropout of the probabilities}
   *
   * @param other the dropout; {@link Dropout#NONE} for none
   */
  public CausalAttention withDropout(Dropout other) {
    return new CausalAttention(heads, kvHeads, headSize, rotary, scores, window, other);
  }

  /** {@return the features of the packed projection: {@code (heads + 2 kv_heads) head_size}} */
  public long width() {
    return (heads + 2L * kvHeads) * headSize;
  }

  /**
   * Norms each head of the queries and of the keys of a packed projection: in place, or where a
   * tape records in a new tensor.
   *
   * @param qkv [tokens, width]
   * @param ofQueries of a head's size
   * @param ofKeys of a head's size
   * @return [tokens, width]
   */
  public Tensor normHeads(Tensor qkv, HeadNorm ofQueries, HeadNorm ofKeys) {
    Tensor queries = heads(qkv, 0, heads);
    Tensor keys = heads(qkv, heads, kvHeads);
    if (Tape.recording() != null) {
      return Layouts.concat(
              1,
              List.of(
                  ofQueries.ofHeads(queries),
                  ofKeys.ofHeads(keys),
                  heads(qkv, heads + kvHeads, kvHeads)))
          .reshape(qkv.size(0), width());
    }
    Layouts.copy(ofQueries.ofHeads(queries), queries);
    Layouts.copy(ofKeys.ofHeads(keys), keys);
    return qkv;
  }

  /**
   * Attends each token to those before it and itself.
   *
   * @param qkv [tokens, width]: the queries' heads, then the keys', then the values'
   * @param positions of the tokens, in the tables of rotary
   * @param segments where each sequence's tokens begin
   * @param cache the step that keeps keys and values; null for whole sequences
   * @param layer of the cache
   * @param withWeights whether to give the probabilities too: [sequences, heads, longest, keys]
   * @return the output [tokens, heads head_size], of qkv's dtype
   */
  public Attention.Result forward(
      Tensor qkv, Ids positions, Segments segments, KvStep cache, int layer, boolean withWeights) {
    if (cache == null) {
      return ofWhole(qkv, positions, segments, Causal.BOTTOM_RIGHT, withWeights);
    }
    // Of signed bytes attention computes in the model's own type.
    DType kept = cache.cache().shape().dtype();
    Tensor given = kept == DType.I8 ? qkv : Elementwise.cast(qkv, kept);
    Tensor query = cache.append(layer, given, rotary, positions);
    Attention.Keys keys = cache.view(layer);
    return attend(qkv, query, keys, segments, Causal.BOTTOM_RIGHT, withWeights);
  }

  /**
   * Attends each token of whole sequences to those before it, itself and those after it, of which a
   * window has as many ahead as back.
   *
   * @param qkv [tokens, width]: the queries' heads, then the keys', then the values'
   * @param positions of the tokens, in the tables of rotary
   * @param segments where each sequence's tokens begin
   * @param withWeights whether to give the probabilities too: [sequences, heads, longest, longest]
   * @return the output [tokens, heads head_size], of qkv's dtype
   */
  public Attention.Result bothWays(
      Tensor qkv, Ids positions, Segments segments, boolean withWeights) {
    return ofWhole(qkv, positions, segments, Causal.NONE, withWeights);
  }

  private Attention.Result ofWhole(
      Tensor qkv, Ids positions, Segments segments, Causal causal, boolean withWeights) {
    Tensor query = rotary.forward(heads(qkv, 0, heads), positions);
    Tensor key = rotary.forward(heads(qkv, heads, kvHeads), positions);
    Attention.Keys keys =
        Attention.Keys.ragged(key, heads(qkv, heads + kvHeads, kvHeads), segments);
    return attend(qkv, query, keys, segments, causal, withWeights);
  }

  private Attention.Result attend(
      Tensor qkv,
      Tensor query,
      Attention.Keys keys,
      Segments segments,
      Causal causal,
      boolean withWeights) {
    Attention.Result result =
        Attention.scaledDotProductAttention(
            query,
            segments,
            keys,
            scores,
            new Attention.Mask(causal, window, null),
            dropout.mask(),
            false,
            withWeights);
    Tensor output = result.output().reshape(qkv.size(0), (long) heads * headSize);
    return new Attention.Result(Elementwise.cast(output, qkv.dtype()), null, result.weights());
  }

  /** Some heads of a packed projection, a view. */
  private Tensor heads(Tensor qkv, int first, int count) {
    return qkv.strided(
        (long) first * headSize,
        new long[] {qkv.size(0), count, headSize},
        new long[] {qkv.size(1), headSize, 1});
  }
}
