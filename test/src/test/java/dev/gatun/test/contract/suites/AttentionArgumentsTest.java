package dev.gatun.test.contract.suites;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.ids;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.numbers;
import static dev.gatun.test.contract.frame.BadCall.of;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arguments of attention at both sides of what it takes, and the messages of those beyond. */
final class AttentionArgumentsTest {
  private static final float NAN = Float.NaN;
  private static final float ALL = Float.POSITIVE_INFINITY;

  private static Arguments bad(String message, Supplier<?> making) {
    return arguments(message, making);
  }

  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(ints(sequences + 1), tokens, longest);
  }

  private static Lengths lengths(int rows, int longest) {
    return new Lengths(ints(rows), longest);
  }

  private static Indices table(long... shape) {
    return Indices.unchecked(at(IN, 1 << 13, DType.I32, shape));
  }

  private static ScaledDotProductAttention attention(
      Operand query, Offsets queries, Operand key, AttentionKeys keys, Operand lse) {
    return new ScaledDotProductAttention(
        query,
        key,
        key,
        of(OUT, query.shape()),
        queries,
        keys,
        AttentionScores.scaled(1),
        AttentionMask.NONE,
        Dropout.NONE,
        lse,
        null);
  }

  private static ScaledDotProductAttention heads(long heads, long kvHeads) {
    return attention(
        of(IN, 1, 1, heads, 8), null, of(IN, 1, 3, kvHeads, 8), AttentionKeys.PADDED, null);
  }

  private static ScaledDotProductAttention batch(long batch, Operand key, AttentionKeys keys) {
    return attention(of(IN, batch, 1, 1, 8), null, key, keys, null);
  }

  private static ScaledDotProductAttention scaled() {
    CacheScales scales = new CacheScales(of(IN, 1, 3, 1), of(IN, 1, 3, 1));
    return attention(
        of(IN, 1, 1, 1, 8),
        null,
        at(IN, 0, DType.I8, 1, 3, 1, 8),
        AttentionKeys.PADDED.withScales(scales),
        at(OUT, 8, 1, 1, 1));
  }

  static Stream<Arguments> attention() {
    String name = "scaled_dot_product_attention: ";
    Operand query = of(IN, 1, 1, 1, 8);
    Operand three = of(IN, 3, 4, 1, 8);
    String ragged = "attention keys: ragged keys have neither lengths nor a block table";
    return Stream.of(
        bad(
            name + "query F32[1, 1, 2, 8] has 2 heads, not a multiple of key F32[1, 3, 0, 8]",
            () -> heads(2, 0)),
        bad(
            name + "query F32[1, 1, 3, 8] has 3 heads, not a multiple of key F32[1, 3, 2, 8]",
            () -> heads(3, 2)),
        bad(
            name + "keys have 2 sequences, queries 3",
            () -> batch(3, of(IN, 4, 1, 8), AttentionKeys.ragged(offsets(2, 4, 3)))),
        bad(
            name + "keys have 3 sequences, queries 2",
            () ->
                attention(
                    of(IN, 4, 1, 8),
                    offsets(2, 4, 3),
                    of(IN, 4, 1, 8),
                    AttentionKeys.ragged(offsets(3, 4, 3)),
                    null)),
        bad(
            name + "2 key lengths, expected 3",
            () -> batch(3, three, AttentionKeys.padded(lengths(2, 4)))),
        bad(
            name + "key length 5, the keys have room for 4",
            () -> batch(3, three, AttentionKeys.padded(lengths(3, 5)))),
        bad(
            name + "key length 9, the keys have room for 8",
            () -> batch(2, three, AttentionKeys.paged(table(2, 2), lengths(2, 9)))),
        bad(
            name + "the cache has no page, and a sequence has 1 keys",
            () -> batch(2, of(IN, 0, 4, 1, 8), AttentionKeys.paged(table(2, 2), lengths(2, 1)))),
        bad(ragged, () -> new AttentionKeys(offsets(1, 4, 4), lengths(1, 4), null)),
        bad(ragged, () -> new AttentionKeys(offsets(1, 4, 4), null, table(1, 1))),
        bad(ragged, () -> new AttentionKeys(offsets(1, 4, 4), lengths(1, 4), table(1, 1))),
        bad(
            "attention keys: a block table needs the lengths",
            () -> new AttentionKeys(null, null, table(1, 1))),
        bad("attention scores: softcap is NaN, expected 0 or a positive number", () -> capped(NAN)),
        bad("attention scores: softcap is -1.0, expected 0 or a positive number", () -> capped(-1)),
        bad(
            "attention scores: softcap is Infinity, expected 0 or a positive number",
            () -> capped(ALL)),
        bad(
            "attention scores: scale is NaN, expected a finite number",
            () -> AttentionScores.scaled(NAN)),
        bad(
            "attention scores: scale is -Infinity, expected a finite number",
            () -> AttentionScores.scaled(-ALL)),
        bad(
            "attention_backward: keys have scales, expected neither pages nor scales",
            () -> new AttentionBackward(scaled(), query, null, null, query, X, X, null, null)),
        bad(
            "rotary_embedding: x F32[2, 1, 8] has overlapping tokens, stride 4",
            () -> rotary(2, 4, 1, 8)),
        bad(
            "rotary_embedding: x F32[2, 2, 8] has gaps between heads, stride 9",
            () -> rotary(2, 18, 2, 9)));
  }

  private static AttentionScores capped(float softcap) {
    return new AttentionScores(1, softcap, null, null, null);
  }

  private static RotaryEmbedding rotary(long tokens, long stride, long heads, long gap) {
    Operand x =
        new Operand(IN, 0, DType.F32, new long[] {tokens, heads, 8}, new long[] {stride, gap, 1});
    Operand table = of(IN, 5, 4);
    return new RotaryEmbedding(x, table, table, ids(tokens), false, of(OUT, tokens, heads, 8));
  }

  private static DisentangledBias bias(long span, long buckets, long maxPosition) {
    return new DisentangledBias(
        of(IN, 1, 2, 4),
        null,
        offsets(1, 2, 2),
        numbers(2),
        span,
        buckets,
        maxPosition,
        1,
        of(OUT, 1, 1, 2, 2));
  }

  private static Arguments badBias(long span, long buckets, long maxPosition) {
    return bad(
        "disentangled_bias: span %d, buckets %d, max position %d: expected a positive span, and"
                .formatted(span, buckets, maxPosition)
            + " buckets of 0 or from 2 to below 2 (max position - 1)",
        () -> bias(span, buckets, maxPosition));
  }

  static Stream<Arguments> biases() {
    return Stream.of(
        badBias(0, 0, 0), badBias(2, -1, 9), badBias(2, 1, 9), badBias(2, 4, 3), badBias(-1, 4, 9));
  }

  static Stream<Arguments> dropouts() {
    return Stream.of(-0.1f, 1f, Float.NaN)
        .map(
            share ->
                bad(
                    "dropout: probability is %s, expected 0 to below 1".formatted(share),
                    () -> new Dropout(share, 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"attention", "biases", "dropouts"})
  void is_refused(String message, Supplier<?> making) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, making::get).getMessage());
  }

  private static Arguments fine(String outputs, Supplier<KernelCall> making) {
    return arguments(outputs, making);
  }

  static Stream<Arguments> calls() {
    Offsets three = offsets(3, 4, 3);
    Operand ragged = of(IN, 4, 1, 8);
    return Stream.of(
        fine("[F32[1, 1, 0, 8]]", () -> heads(0, 0)),
        fine("[F32[1, 1, 0, 8]]", () -> heads(0, 2)),
        fine("[F32[1, 1, 6, 8]]", () -> heads(6, 2)),
        fine(
            "[F32[4, 1, 8]]",
            () -> attention(ragged, three, ragged, AttentionKeys.ragged(three), null)),
        fine(
            "[F32[3, 1, 1, 8]]",
            () -> batch(3, of(IN, 3, 4, 1, 8), AttentionKeys.padded(lengths(3, 4)))),
        fine(
            "[F32[2, 1, 1, 8]]",
            () -> batch(2, of(IN, 3, 4, 1, 8), AttentionKeys.paged(table(2, 2), lengths(2, 8)))),
        fine(
            "[F32[2, 1, 1, 8]]",
            () -> batch(2, of(IN, 0, 4, 1, 8), AttentionKeys.paged(table(2, 2), lengths(2, 0)))),
        fine("[F32[1, 1, 2, 2]]", () -> bias(2, 0, 0)),
        fine("[F32[1, 1, 2, 2]]", () -> bias(2, 2, 3)),
        fine("[F32[1, 1, 2, 2]]", () -> bias(2, 4, 4)),
        fine("[F32[1, 1, 8]]", () -> rotary(1, 0, 1, 0)),
        fine("[F32[2, 1, 8]]", () -> rotary(2, 8, 1, 0)),
        fine("[F32[0, 2, 8]]", () -> rotary(0, 0, 2, 0)));
  }

  @ParameterizedTest(name = "{index}: {0}")
  @MethodSource("calls")
  void at_a_limit_is_taken(String outputs, Supplier<KernelCall> making) {
    assertEquals(outputs, making.get().outputs().toString());
  }

  @ParameterizedTest
  @ValueSource(floats = {0, Float.MIN_VALUE, 30, Float.MAX_VALUE})
  void scores_may_be_capped_at(float softcap) {
    assertEquals(softcap, capped(softcap).softcap());
  }
}
