package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** Attention, and DeBERTa's relative scores. */
public final class Attention {
  private static final String NAME = "scaled_dot_product_attention";

  private Attention() {}

  /**
   * What signed bytes of keys and values mean: {@code element = scale code}, a scale for a token's
   * row of a head.
   *
   * @param keys F32, of the shape of the keys without their last axis
   * @param values F32, of the shape of the values without their last axis
   */
  public record Scales(Tensor keys, Tensor values) {
    /** {@return the kernel's operands; null of null} */
    static CacheScales operands(Scales scales) {
      return scales == null
          ? null
          : new CacheScales(scales.keys.operand(), scales.values.operand());
    }
  }

  /**
   * Keys and values, and how they lie: padded, ragged where there are segments, paged where there
   * are pages.
   *
   * @param key of the queries' dtype, or I8 with scales: padded [batch, key_length, kv_heads,
   *     head_size], ragged [tokens, kv_heads, head_size], paged [pages, page_size, kv_heads,
   *     head_size]
   * @param value as key, of a head size of its own
   * @param segments the sequences of ragged keys, or null
   * @param lengths I32 [batch], the keys in use of each row of a cache, each at most {@code
   *     longest}; or null for all
   * @param longest the most keys in use, which the host knows; 0 without lengths
   * @param pages I32 [batch, pages_per_sequence], the pages of each sequence; or null
   * @param pagesBelow what all pages in use are less than; {@link Indices#UNKNOWN} where nobody
   *     looked, and each call does
   * @param scales of keys and values that are signed bytes, or null
   */
  public record Keys(
      Tensor key,
      Tensor value,
      Segments segments,
      Tensor lengths,
      int longest,
      Tensor pages,
      long pagesBelow,
      Scales scales) {
    /**
     * {@return one row of keys a sequence, all of them in use}
     *
     * @param key of the queries' dtype, or I8 with scales: [batch, key_length, kv_heads, head_size]
     * @param value as key, of a head size of its own
     */
    public static Keys padded(Tensor key, Tensor value) {
      return new Keys(key, value, null, null, 0, null, Indices.UNKNOWN, null);
    }

    /**
     * {@return one row of keys a sequence, of which the first ones are in use: a contiguous cache}
     *
     * @param key of the queries' dtype, or I8 with scales: [batch, key_length, kv_heads, head_size]
     * @param value as key, of a head size of its own
     * @param lengths I32 [batch], the keys in use of each row
     * @param longest what none of the lengths exceeds
     */
    public static Keys padded(Tensor key, Tensor value, Tensor lengths, int longest) {
      return new Keys(key, value, null, lengths, longest, null, Indices.UNKNOWN, null);
    }

    /**
     * {@return sequences one after another}
     *
     * @param key of the queries' dtype, or I8 with scales: [tokens, kv_heads, head_size]
     * @param value as key, of a head size of its own
     * @param segments the sequences
     */
    public static Keys ragged(Tensor key, Tensor value, Segments segments) {
      return new Keys(key, value, segments, null, 0, null, Indices.UNKNOWN, null);
    }

    /**
     * {@return sequences in pages of a cache (Kwon et al., arXiv 2309.06180)}
     *
     * @param key of the queries' dtype, or I8 with scales: [pages, page_size, kv_heads, head_size]
     * @param value as key, of a head size of its own
     * @param pages I32 [batch, pages_per_sequence], the pages of each sequence
     * @param pagesBelow what all pages in use are less than, or {@link Indices#UNKNOWN}
     * @param lengths I32 [batch], the keys in use of each sequence
     * @param longest what none of the lengths exceeds
     */
    public static Keys paged(
        Tensor key, Tensor value, Tensor pages, long pagesBelow, Tensor lengths, int longest) {
      return new Keys(key, value, null, lengths, longest, pages, pagesBelow, null);
    }

    /**
     * {@return the same where keys and values are signed bytes}
     *
     * @param other the scales; null where they are not
     */
    public Keys withScales(Scales other) {
      return new Keys(key, value, segments, lengths, longest, pages, pagesBelow, other);
    }

    private AttentionKeys operands() {
      return new AttentionKeys(
          segments == null ? null : segments.offsets(),
          lengths == null ? null : new Lengths(lengths.operand(), longest),
          pages == null ? null : new Indices(pages.operand(), pagesBelow),
          Scales.operands(scales));
    }

    /** The key_length of the keys, the longest sequence's. */
    long length() {
      return segments != null
          ? segments.longest()
          : pages != null ? longest : key.rank() > 1 ? key.size(1) : 0;
    }
  }

  /**
   * What becomes of a score before the mask: {@code cap(scale · query · key) + bias - slope ·
   * |distance|}.
   *
   * @param scale the factor, usually 1/√head_size
   * @param softcap {@code cap(s) = softcap · tanh(s / softcap)}; 0 for none
   * @param bias F32 [batch or 1, heads or 1, query_length or 1, key_length or 1], or null
   * @param slopes F32 [heads], those of ALiBi; or null
   * @param sinks F32 [heads], logits that the denominator has besides; or null
   */
  public record Scores(float scale, float softcap, Tensor bias, Tensor slopes, Tensor sinks) {
    /**
     * {@return scores that are scaled and no more}
     *
     * @param scale the factor, usually 1/√head_size
     */
    public static Scores scaled(float scale) {
      return new Scores(scale, 0, null, null, null);
    }

    /**
     * {@return the same with a cap}
     *
     * @param cap what no scaled product exceeds in size; 0 for none
     */
    public Scores withSoftcap(float cap) {
      return new Scores(scale, cap, bias, slopes, sinks);
    }

    /**
     * {@return the same with a bias}
     *
     * @param added F32 [batch or 1, heads or 1, query_length or 1, key_length or 1]; null for none
     */
    public Scores withBias(Tensor added) {
      return new Scores(scale, softcap, added, slopes, sinks);
    }

    /**
     * {@return the same with ALiBi's slopes}
     *
     * @param given F32 [heads]; null for none
     */
    public Scores withSlopes(Tensor given) {
      return new Scores(scale, softcap, bias, given, sinks);
    }

    /**
     * {@return the same with sinks}
     *
     * @param given F32 [heads]; null for none
     */
    public Scores withSinks(Tensor given) {
      return new Scores(scale, softcap, bias, slopes, given);
    }

    /** The shape of what has a gradient. */
    private static long[] given(Tensor of, String name) {
      if (of == null) {
        throw new IllegalArgumentException(
            "attention_backward: the gradient of %s was asked for, but there is none"
                .formatted(name));
      }
      return of.shape();
    }

    private AttentionScores operands() {
      return new AttentionScores(
          scale, softcap, Calls.operand(bias), Calls.operand(slopes), Calls.operand(sinks));
    }
  }

  /**
   * Which keys a query sees.
   *
   * @param causal the rule by position
   * @param window how many keys a query sees back from where it stands, its own included; 0 for all
   * @param keys U8 [batch, key_length], 0 where a key is not seen; or null
   */
  public record Mask(Causal causal, long window, Tensor keys) {
    /** Every query sees every key. */
    public static final Mask NONE = new Mask(Causal.NONE, 0, null);

    /**
     * {@return a mask by position alone}
     *
     * @param causal the rule
     */
    public static Mask of(Causal causal) {
      return new Mask(causal, 0, null);
    }

    private AttentionMask operands() {
      return new AttentionMask(causal, window, Calls.operand(keys));
    }
  }

  /**
   * What attention gives.
   *
   * @param output as the queries, with the values' head size
   * @param lse F32 [batch, heads, query_length], the natural log-sum-exp of each row of scores, its
   *     sink included; or null where nobody asked
   * @param weights F32 [batch, heads, query_length, key_length], the probabilities after dropout;
   *     or null where nobody asked
   */
  public record Result(Tensor output, Tensor lse, Tensor weights) {}

  /**
   * Attention of scores that are not masked, without dropout.
   *
   * @param query F32, BF16 or F16: [tokens, heads, head_size] with segments, else [batch,
   *     query_length, heads, head_size]
   * @param queries the sequences of ragged queries, or null
   * @param keys keys and values
   * @param scores what becomes of the scores
   * @param withWeights whether to give the probabilities too
   * @return the output, and the weights where they were asked for
   */
  public static Result scaledDotProductAttention(
      Tensor query, Segments queries, Keys keys, Scores scores, boolean withWeights) {
    return scaledDotProductAttention(
        query, queries, keys, scores, Mask.NONE, Dropout.NONE, false, withWeights);
  }

  /**
   * Attention as {@link ScaledDotProductAttention} defines it. Where lse and weights belong to no
   * query or key of a sequence they are 0.
   *
   * @param query F32, BF16 or F16: [tokens, heads, head_size] with segments, else [batch,
   *     query_length, heads, head_size]; heads are a multiple of the keys'
   * @param queries the sequences of ragged queries, or null
   * @param keys keys and values
   * @param scores what becomes of the scores
   * @param mask which keys a query sees
   * @param dropout of the probabilities
   * @param withLse whether to give the log-sum-exp too
   * @param withWeights whether to give the probabilities too
   * @return the output, and what was asked for besides
   * @throws UnsupportedOperationException when a tape tracks slopes, or queries, keys or values
   *     beside pages or signed bytes
   */
  public static Result scaledDotProductAttention(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      boolean withLse,
      boolean withWeights) {
    checkAxes(query, queries, keys);
    Tape tape = Tape.recording();
    if (tape == null) {
      return attend(query, queries, keys, scores, mask, dropout, withLse, withWeights);
    }
    if (keys.pages != null || keys.scales != null) {
      Tape.refuse(NAME + " of pages or signed bytes", query);
      Tape.refuse(NAME + " of pages or signed bytes", keys.key);
      Tape.refuse(NAME + " of pages or signed bytes", keys.value);
    }
    Tape.refuse(NAME + " as slopes", scores.slopes);
    Node node = tape.node(NAME, query, keys.key, keys.value, scores.bias, scores.sinks);
    boolean lse = withLse || node != null;
    Result result = attend(query, queries, keys, scores, mask, dropout, lse, withWeights);
    if (node == null) {
      return result;
    }
    AttentionGradients.record(node, query, queries, keys, scores, mask, dropout, result, withLse);
    return withLse ? result : new Result(result.output, null, result.weights);
  }

  /**
   * The gradients of attention.
   *
   * @param query as the queries, of their dtype
   * @param key as the keys
   * @param value as the values
   * @param bias F32 of the bias's shape; or null where nobody asked
   * @param sinks F32 [heads]; or null where nobody asked
   */
  public record Gradients(Tensor query, Tensor key, Tensor value, Tensor bias, Tensor sinks) {}

  /**
   * The gradients of {@link #scaledDotProductAttention}, as {@link AttentionBackward} defines them;
   * they have none themselves, and what a tape tracks is refused. Tokens of no sequence have 0.
   *
   * @param query the queries, as attention took them
   * @param queries the sequences of ragged queries, or null
   * @param keys keys and values, neither in pages nor of signed bytes
   * @param scores what became of the scores
   * @param mask which keys a query sees
   * @param dropout of the probabilities, the same
   * @param result what attention gave, its lse at least beside the output
   * @param gradients those of the output, and of lse and the weights or null
   * @param withBias whether to give the bias's gradient too
   * @param withSinks whether to give those of the sinks too
   * @return the gradients, those of bias and sinks where they were asked for
   * @throws IllegalArgumentException for the gradient of a bias, or of sinks, that there are not
   * @throws UnsupportedOperationException when a tape tracks an input
   */
  public static Gradients attentionBackward(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      Result result,
      Result gradients,
      boolean withBias,
      boolean withSinks) {
    checkAxes(query, queries, keys);
    for (Tensor input :
        new Tensor[] {query, keys.key, keys.value, scores.bias, scores.sinks, gradients.output}) {
      Tape.refuse("attention_backward", input);
    }
    try (Scope scope = Scope.open()) {
      Gradients to =
          room(
              List.of(
                  Tensor.zeros(query.device(), query.dtype(), query.shape()),
                  Tensor.zeros(query.device(), query.dtype(), keys.key.shape()),
                  Tensor.zeros(query.device(), query.dtype(), keys.value.shape())),
              scores,
              withBias,
              withSinks);
      backward(query, queries, keys, scores, mask, dropout, result, gradients, to);
      return kept(scope, to);
    }
  }

  /** Room for gradients, where those of query, key and value are zeros that are there. */
  static Gradients room(List<Tensor> zeros, Scores scores, boolean withBias, boolean withSinks) {
    Device device = zeros.getFirst().device();
    return new Gradients(
        zeros.get(0),
        zeros.get(1),
        zeros.get(2),
        withBias ? Tensor.empty(device, DType.F32, Scores.given(scores.bias, "bias")) : null,
        withSinks ? Tensor.empty(device, DType.F32, Scores.given(scores.sinks, "sinks")) : null);
  }

  /** Writes the gradients to their room, of any strides. */
  static void backward(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      Result result,
      Result gradients,
      Gradients to) {
    query
        .device()
        .kernels()
        .run(
            new AttentionBackward(
                new ScaledDotProductAttention(
                    query.operand(),
                    keys.key.operand(),
                    keys.value.operand(),
                    result.output.operand(),
                    queries == null ? null : queries.offsets(),
                    keys.operands(),
                    scores.operands(),
                    mask.operands(),
                    dropout,
                    Calls.operand(result.lse),
                    null),
                gradients.output.operand(),
                Calls.operand(gradients.lse),
                Calls.operand(gradients.weights),
                to.query.operand(),
                to.key.operand(),
                to.value.operand(),
                Calls.operand(to.bias),
                Calls.operand(to.sinks)));
    Calls.fence(query, keys.key, keys.value, scores.bias, scores.slopes, scores.sinks, mask.keys);
    Calls.fence(result.output, result.lse, gradients.output, gradients.lse, gradients.weights);
    Calls.fence(keys.lengths, queries == null ? null : queries.values());
    Calls.fence(to.query, to.key, to.value, to.bias, to.sinks);
  }

  /**
   * {@link #attentionBackward} in simple ops, on all pairs of queries and keys.
   *
   * @param query the queries, as attention took them
   * @param queries the sequences of ragged queries, or null
   * @param keys keys and values, neither in pages nor of signed bytes
   * @param scores what became of the scores
   * @param mask which keys a query sees
   * @param dropout of probability 0
   * @param result what attention gave, its lse at least beside the output
   * @param gradients those of the output, and of lse and the weights or null
   * @param withBias whether to give the bias's gradient too
   * @param withSinks whether to give those of the sinks too
   * @return the gradients, those of bias and sinks where they were asked for
   * @throws UnsupportedOperationException with dropout, whose mask is made of whole numbers of 32
   *     bits
   */
  public static Gradients plainAttentionBackward(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      Result result,
      Result gradients,
      boolean withBias,
      boolean withSinks) {
    checkAxes(query, queries, keys);
    refuseDropout("attention_backward", dropout);
    try (Scope scope = Scope.open()) {
      Gradients all =
          new PlainAttentionBackward(query, queries, keys, scores, mask)
              .run(result, gradients, withBias, withSinks);
      DType dtype = query.dtype();
      return kept(
          scope,
          new Gradients(
              Elementwise.cast(all.query, dtype),
              Elementwise.cast(all.key, dtype),
              Elementwise.cast(all.value, dtype),
              all.bias,
              all.sinks));
    }
  }

  private static Gradients kept(Scope scope, Gradients all) {
    return new Gradients(
        scope.keep(all.query),
        scope.keep(all.key),
        scope.keep(all.value),
        scope.keep(all.bias),
        scope.keep(all.sinks));
  }

  private static void refuseDropout(String op, Dropout dropout) {
    if (dropout.probability() > 0) {
      throw new UnsupportedOperationException(
          op + ": the plain form has no dropout, got probability " + dropout.probability());
    }
  }

  private static Result attend(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      boolean withLse,
      boolean withWeights) {
    Offsets offsets = queries == null ? null : queries.offsets();
    long batch = queries == null ? query.size(0) : queries.sequences();
    long length = queries == null ? query.size(1) : queries.longest();
    long heads = query.size(-2);
    Tensor lse = null;
    Tensor weights = null;
    boolean done = false;
    try {
      lse = withLse ? Tensor.zeros(query.device(), batch, heads, length) : null;
      weights =
          withWeights ? Tensor.zeros(query.device(), batch, heads, length, keys.length()) : null;
      Tensor summed = lse;
      Tensor given = weights;
      Tensor output =
          Calls.run(
              Tensor.empty(
                  query.device(), query.dtype(), Calls.withLast(query, keys.value.size(-1))),
              (k, y) ->
                  k.run(
                      new ScaledDotProductAttention(
                          query.operand(),
                          keys.key.operand(),
                          keys.value.operand(),
                          y.operand(),
                          offsets,
                          keys.operands(),
                          scores.operands(),
                          mask.operands(),
                          dropout,
                          Calls.operand(summed),
                          Calls.operand(given))),
              query,
              keys.key,
              keys.value,
              queries == null ? null : queries.values(),
              keys.segments == null ? null : keys.segments.values(),
              keys.lengths,
              keys.pages,
              keys.scales == null ? null : keys.scales.keys,
              keys.scales == null ? null : keys.scales.values,
              scores.bias,
              scores.slopes,
              scores.sinks,
              mask.keys);
      done = true;
      return new Result(output, lse, weights);
    } finally {
      if (!done && lse != null) {
        lse.close();
      }
      if (!done && weights != null) {
        weights.close();
      }
    }
  }

  /**
   * {@link #scaledDotProductAttention} in simple ops, on all pairs of queries and keys; a value
   * that some queries see and others do not must be finite.
   *
   * @param query F32, BF16 or F16: [tokens, heads, head_size] with segments, else [batch,
   *     query_length, heads, head_size]
   * @param queries the sequences of ragged queries, or null
   * @param keys keys and values
   * @param scores what becomes of the scores
   * @param mask which keys a query sees
   * @param dropout of probability 0
   * @param withLse whether to give the log-sum-exp too
   * @param withWeights whether to give the probabilities too
   * @return the output, and what was asked for besides
   * @throws UnsupportedOperationException with dropout, whose mask is made of whole numbers of 32
   *     bits
   */
  public static Result plainScaledDotProductAttention(
      Tensor query,
      Segments queries,
      Keys keys,
      Scores scores,
      Mask mask,
      Dropout dropout,
      boolean withLse,
      boolean withWeights) {
    checkAxes(query, queries, keys);
    refuseDropout(NAME, dropout);
    try (Scope scope = Scope.open()) {
      Result result =
          new PlainAttention(query, queries, keys).run(scores, mask, withLse, withWeights);
      scope.keep(result.output);
      scope.keep(result.lse);
      scope.keep(result.weights);
      return result;
    }
  }

  private static void checkAxes(Tensor query, Segments queries, Keys keys) {
    Calls.axes(NAME, "query", query, queries == null ? 4 : 3);
    Calls.axes(NAME, "key", keys.key, keys.segments == null ? 4 : 3);
    Calls.axes(NAME, "value", keys.value, keys.segments == null ? 4 : 3);
  }

  /**
   * DeBERTa's relative scores, as {@link DisentangledBias} defines them.
   *
   * @param c2p content to position, F32 [heads, tokens, 2 span], without gaps; or null where p2c is
   *     not
   * @param p2c position to content, likewise; or null where c2p is not
   * @param segments the sequences of the tokens
   * @param positions I64 [tokens]
   * @param span the largest relative position
   * @param buckets the number of buckets, 0 for none
   * @param maxPosition the distance that the last bucket begins at
   * @param scale factor of the sum of both
   * @return F32 [sequences, heads, longest, longest], undefined beyond a sequence's own tokens
   * @throws IllegalArgumentException when both are null
   */
  public static Tensor disentangledBias(
      Tensor c2p,
      Tensor p2c,
      Segments segments,
      Tensor positions,
      long span,
      long buckets,
      long maxPosition,
      float scale) {
    Tensor some = c2p != null ? c2p : p2c;
    if (some == null) {
      throw new IllegalArgumentException("disentangled_bias: c2p and p2c are both missing");
    }
    Calls.axes("disentangled_bias", c2p != null ? "c2p" : "p2c", some, 3);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("disentangled_bias", c2p, p2c);
    long longest = segments.longest();
    Tensor result =
        Calls.run(
            Tensor.empty(
                some.device(), DType.F32, segments.sequences(), some.size(0), longest, longest),
            (k, bias) ->
                k.run(
                    new DisentangledBias(
                        Calls.operand(c2p),
                        Calls.operand(p2c),
                        segments.offsets(),
                        positions.operand(),
                        span,
                        buckets,
                        maxPosition,
                        scale,
                        bias.operand())),
            c2p,
            p2c,
            segments.values(),
            positions);
    if (node != null) {
      DisentangledBiasGradients.record(
          node,
          some,
          segments,
          positions,
          new Distances(span, buckets, maxPosition),
          scale,
          result);
    }
    return result;
  }

  /**
   * How distances become places of relative scores.
   *
   * @param span the largest relative position
   * @param buckets the number of buckets, 0 for none
   * @param maxPosition the distance that the last bucket begins at
   */
  record Distances(long span, long buckets, long maxPosition) {
    /** The place of each pair, 0 to {@code 2 span - 1}: F32 [sequences, longest, longest]. */
    Tensor places(Tensor positions, Segments segments) {
      long sequences = segments.sequences();
      long longest = segments.longest();
      Tensor place = Plain.padded(Plain.wide(positions), segments);
      Tensor distance =
          Elementwise.subtract(
              place.reshape(sequences, longest, 1), place.reshape(sequences, 1, longest));
      // The bucket of a distance the other way is the same with the other sign.
      Tensor index = Plain.plus(bucket(distance, span, buckets, maxPosition), span);
      index = Elementwise.maximum(index, Plain.number(positions.device(), 0));
      return Elementwise.minimum(index, Plain.number(positions.device(), 2.0 * span - 1));
    }

    /**
     * The token of each place of a sequence, some other behind its end: F32 [sequences, longest].
     */
    static Tensor tokens(Segments segments) {
      return Elementwise.minimum(
          Elementwise.add(
              Plain.begins(segments), Plain.count(segments.device(), segments.longest())),
          Plain.number(segments.device(), segments.tokens() - 1.0));
    }
  }

  /**
   * {@link #disentangledBias} in simple ops.
   *
   * @param c2p content to position, F32 [heads, tokens, 2 span], without gaps; or null where p2c is
   *     not
   * @param p2c position to content, likewise; or null where c2p is not
   * @param segments the sequences of the tokens
   * @param positions I64 [tokens]
   * @param span the largest relative position
   * @param buckets the number of buckets, 0 for none
   * @param maxPosition the distance that the last bucket begins at
   * @param scale factor of the sum of both
   * @return F32 [sequences, heads, longest, longest], undefined beyond a sequence's own tokens
   */
  public static Tensor plainDisentangledBias(
      Tensor c2p,
      Tensor p2c,
      Segments segments,
      Tensor positions,
      long span,
      long buckets,
      long maxPosition,
      float scale) {
    try (Scope scope = Scope.open()) {
      Tensor some = c2p != null ? c2p : p2c;
      long longest = segments.longest();
      long[] pairs = {segments.sequences(), longest, longest};
      if (some.count() == 0 || pairs[0] * longest == 0) {
        return scope.keep(Tensor.zeros(some.device(), pairs[0], some.size(0), longest, longest));
      }
      Tensor index = new Distances(span, buckets, maxPosition).places(positions, segments);
      Tensor token = Distances.tokens(segments);
      Tensor sum = null;
      for (Tensor part : new Tensor[] {c2p, p2c}) {
        if (part != null) {
          Tensor row =
              part == c2p
                  ? token.reshape(pairs[0], longest, 1)
                  : token.reshape(pairs[0], 1, longest);
          Tensor at = Elementwise.add(Plain.times(row, 2.0 * span), index);
          long places = part.size(1) * part.size(2);
          Tensor picked =
              Indexing.indexSelect(part.reshape(part.size(0), places), 1, Plain.ids(at, places));
          sum = sum == null ? picked : Elementwise.add(sum, picked);
        }
      }
      Tensor byHead = Plain.times(sum, scale).reshape(some.size(0), pairs[0], longest, longest);
      return scope.keep(Layouts.permute(byHead, 1, 0, 2, 3));
    }
  }

  /** The bucket of each distance: a step for each least distance that is one bucket further. */
  private static Tensor bucket(Tensor distance, long span, long buckets, long maxPosition) {
    if (buckets == 0) {
      return distance;
    }
    long mid = buckets / 2;
    Tensor size = Plain.absolute(distance);
    Tensor bucket = Elementwise.minimum(size, Plain.number(distance.device(), mid));
    double ratio = mid > 1 ? Math.log((maxPosition - 1.0) / mid) / (mid - 1) : 0;
    for (long step = 0; mid > 1 && mid + step <= span + 1; step++) {
      double least = mid * Math.exp(step * ratio);
      // What is a whole number but for rounding is one.
      least = Math.abs(least - Math.rint(least)) < 1e-6 * least ? Math.rint(least) : least;
      bucket =
          Elementwise.add(bucket, Elementwise.less(Plain.number(distance.device(), least), size));
    }
    Tensor back = Elementwise.less(distance, Plain.number(distance.device(), 0));
    return Plain.where(back, Plain.negated(bucket), bucket);
  }
}
