package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Attention whose sequences end at the borders of tiles, or one token beside them, and have several
 * tiles of queries and of keys, by each way of hiding keys and changing scores. What no query sees
 * is NaN or infinite: masked keys, those that are out of reach by position, a cache's room behind
 * its length, pages that nobody has.
 */
final class AttentionEdges {
  /** What a case has at least. */
  private enum Feature {
    PLAIN,
    MASK,
    WINDOW,
    BIAS,
    ALIBI,
    SOFTCAP,
    DROPOUT,
    SINKS
  }

  private static final String NAME = "scaled_dot_product_attention-edges";
  private static final Feature[] ALL = Feature.values();
  private static final Feature[] BY_PLACE = {
    Feature.DROPOUT, Feature.WINDOW, Feature.BIAS, Feature.ALIBI
  };
  private static final Feature[] HOPPER = {Feature.PLAIN, Feature.WINDOW, Feature.SINKS};

  private final Random random;
  private final long seed;
  private final Feature[] features;
  private final Feature feature;
  // Whether keys and values are signed bytes, of which the scales are NaN where nobody sees them.
  private final boolean codes;
  // Whether keys are in pages, as by chance elsewhere.
  private boolean paged;

  private AttentionEdges(long seed, Feature[] features, boolean codes) {
    this.seed = seed;
    this.codes = codes;
    this.random = Seeds.random(seed);
    this.features = features;
    this.feature = features[Math.floorMod(seed, features.length)];
  }

  /** Of all types, about the processor's blocks of queries and keys. */
  static List<Generator> generators() {
    return List.of(
        Generator.of(NAME, s -> new AttentionEdges(s, ALL, false).any()),
        Generator.of(NAME + "-codes", s -> new AttentionEdges(s, ALL, true).any()).times(0.5),
        Generator.of(
                "scaled_dot_product_attention-few", s -> new AttentionEdges(s, ALL, false).few())
            .times(0.5),
        Generator.of(
                "scaled_dot_product_attention-chunks",
                s -> new AttentionEdges(s, BY_PLACE, false).chunks())
            .times(0.1));
  }

  /**
   * About tiles of tensor cores, which have 64 queries and 32 or 64 keys; and up to 64 queries over
   * caches that are long enough for splits.
   */
  static List<Generator> tiles() {
    return List.of(
        Generator.of(NAME, s -> new AttentionEdges(s, ALL, false).tile()).times(0.5),
        Generator.of(NAME + "-codes", s -> new AttentionEdges(s, ALL, true).tile()).times(0.2),
        Generator.of(
                "scaled_dot_product_attention-caches",
                s -> new AttentionEdges(s, ALL, false).cache())
            .times(0.5));
  }

  /** About tiles of warpgroups, which have 128 queries and keys; and what others do beside them. */
  static List<Generator> hopper() {
    return List.of(
        Generator.of(NAME, s -> new AttentionEdges(s, HOPPER, false).warpgroups()),
        Generator.of(NAME + "-others", s -> new AttentionEdges(s, ALL, false).warpgroups()),
        Generator.of(NAME + "-codes", s -> new AttentionEdges(s, HOPPER, true).warpgroups())
            .times(0.5),
        Generator.of(
                "scaled_dot_product_attention-caches",
                s -> new AttentionEdges(s, ALL, false).cache())
            .times(0.25));
  }

  private Case any() {
    DType dtype = new DType[] {DType.F32, DType.BF16, DType.F16}[random.nextInt(3)];
    int batch = 1 + random.nextInt(2);
    int most = random.nextInt(8) == 0 ? border(384, 1) : border(random.nextBoolean() ? 16 : 48, 4);
    return one(dtype, random.nextBoolean() ? 16 : 8, batch, most, border(128, 2), 64);
  }

  /** Queries of a decoding step, and pages that blocks of keys begin and end within. */
  private Case few() {
    paged = true;
    DType dtype = new DType[] {DType.F32, DType.BF16, DType.F16}[random.nextInt(3)];
    return one(dtype, 16, 1 + random.nextInt(2), 1 + random.nextInt(3), border(128, 3), 200);
  }

  /** More queries than the processor has in a chunk. */
  private Case chunks() {
    return one(DType.F32, 8, 1, 385 + random.nextInt(60), 1 + random.nextInt(200), 64);
  }

  private Case tile() {
    int size = new int[] {40, 64, 128, 256}[random.nextInt(4)];
    int keys = border(size == 256 ? 32 : 64, 4);
    return one(half(), size, 1 + random.nextInt(2), border(64, 2), keys, 40);
  }

  private Case cache() {
    int size = new int[] {64, 128, 128, 256}[random.nextInt(4)];
    int queries =
        switch (random.nextInt(3)) {
          case 0 -> 1 + random.nextInt(8);
          case 1 -> border(16, 4);
          default -> 9 + random.nextInt(56);
        };
    int keys = random.nextBoolean() ? border(256, 4) : 300 + random.nextInt(800);
    return one(half(), size, 1, Math.min(queries, 64), keys, 700);
  }

  private Case warpgroups() {
    int queries = border(128, 2);
    int size = random.nextBoolean() ? 64 : 128;
    return one(half(), size, 1 + random.nextInt(2), queries, border(128, 3), 200);
  }

  private DType half() {
    return random.nextBoolean() ? DType.BF16 : DType.F16;
  }

  /** A multiple of a tile, or one less or more. */
  private int border(int tile, int most) {
    return tile * (1 + random.nextInt(most)) - 1 + random.nextInt(3);
  }

  private boolean has(Feature which) {
    return feature == which || random.nextInt(6) == 0 && Arrays.asList(features).contains(which);
  }

  private Case one(DType dtype, int size, int batch, int queryLength, int keyLength, int reach) {
    int kvHeads = batch == 1 ? 1 + random.nextInt(2) : 1;
    int heads = kvHeads * (1 + random.nextInt(2));
    boolean ragged = random.nextInt(3) == 0;
    Ragged queries = ragged ? Ragged.of("query offsets", lengths(batch, queryLength)) : null;
    KeyLayout keys = keys(batch, keyLength);
    int longest = (int) keys.longest();
    Causal causal = Causal.values()[random.nextInt(3)];
    int window = has(Feature.WINDOW) ? 1 + random.nextInt(reach) : 0;
    float softcap = has(Feature.SOFTCAP) ? 5 : 0;
    Dropout dropout = has(Feature.DROPOUT) ? new Dropout(0.3f, random.nextLong()) : Dropout.NONE;
    Data mask = has(Feature.MASK) ? mask(batch, longest) : null;

    boolean[] seen =
        new boolean
            [(int)
                (keys.ragged() != null
                    ? keys.ragged().tokens()
                    : (long) keys.rows() * keys.room())];
    for (int b = 0; b < batch; b++) {
      int its = ragged ? queries.lengths()[b] : queryLength;
      int most =
          keys.ragged() != null
              ? keys.ragged().lengths()[b]
              : keys.lengths() != null ? keys.lengths()[b] : longest;
      for (int j = 0; j < most; j++) {
        boolean open = mask == null || mask.values()[b * longest + j] != 0;
        seen[place(keys, b, j)] |= open && isSeen(causal, window, its, most, j);
      }
    }
    List<Data> data = new ArrayList<>();
    long[] shape = {batch, queryLength, heads, size};
    shape = ragged ? new long[] {queries.tokens(), heads, size} : shape;
    data.add(Data.normal(random, "query", shape).withDtype(dtype));
    for (String name : List.of("key", "value")) {
      data.addAll(cached(name, dtype, seen, keys.shape(kvHeads, size)));
    }
    data.add(Data.output("output", shape).withDtype(dtype));
    if (ragged) {
      data.add(queries.data());
    }
    data.addAll(keys.data());
    if (mask != null) {
      data.add(mask);
    }
    if (has(Feature.BIAS)) {
      data.add(
          Data.normal(
              random,
              "bias",
              random.nextBoolean() ? 1 : batch,
              heads,
              queryLength(queries, queryLength),
              longest));
    }
    if (has(Feature.ALIBI)) {
      data.add(Data.input(random, "slopes", r -> r.nextDouble() / 16, heads));
    }
    if (has(Feature.SINKS)) {
      data.add(Data.input(random, "sinks", AttentionEdges::sink, heads));
    }
    data.add(Data.output("lse", batch, heads, queryLength(queries, queryLength)));
    float scale = 1 / (float) Math.sqrt(size);
    return Case.of(
        "scaled_dot_product_attention edge seed %d %s %s %d %s%s %s window %d softcap %s dropout %s"
            .formatted(
                seed,
                codes ? feature + " codes" : feature,
                dtype,
                size,
                causal,
                ragged ? " ragged" : "",
                keys,
                window,
                softcap,
                dropout.probability()),
        data,
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                ragged ? queries.offsets(of) : null,
                keys.keys(of)
                    .withScales(
                        codes
                            ? new CacheScales(of.apply("key scales"), of.apply("value scales"))
                            : null),
                new AttentionScores(
                    scale, softcap, of.apply("bias"), of.apply("slopes"), of.apply("sinks")),
                new AttentionMask(causal, window, of.apply("mask")),
                dropout,
                of.apply("lse"),
                null));
  }

  /** Now and then so far above all scores that e to the difference is no float. */
  static double sink(Random random) {
    return (random.nextInt(4) == 0 ? 60 : 6) * random.nextGaussian();
  }

  private static long queryLength(Ragged queries, int length) {
    return queries == null ? length : queries.longest();
  }

  /** The first one is of the length that is asked for, others have no tokens now and then. */
  private int[] lengths(int batch, int most) {
    int[] lengths = new int[batch];
    Arrays.setAll(
        lengths, b -> b == 0 ? most : random.nextInt(3) == 0 ? 0 : random.nextInt(most + 1));
    return lengths;
  }

  private KeyLayout keys(int batch, int most) {
    int[] lengths = lengths(batch, most);
    return switch (paged ? 3 : random.nextInt(4)) {
      case 0 -> new KeyLayout(null, null, null, batch, most, 0);
      case 1 -> new KeyLayout(null, lengths, null, batch, most + random.nextInt(70), 0);
      case 2 -> new KeyLayout(Ragged.of("key offsets", lengths), null, null, batch, most, 0);
      default -> KeyLayout.paged(random, lengths);
    };
  }

  /** Single keys are hidden, whole tiles, or all of a sequence. */
  private Data mask(int batch, int longest) {
    int first = random.nextInt(longest);
    int last = first + random.nextInt(200);
    boolean blind = random.nextInt(6) == 0;
    return Data.placed(
            random,
            "mask",
            (r, at) -> {
              int b = at / longest;
              int j = at % longest;
              boolean hidden = j >= first && j < last || r.nextInt(9) == 0;
              return hidden || blind && b == 0 ? 0 : 1;
            },
            batch,
            longest)
        .withDtype(DType.U8);
  }

  private static int place(KeyLayout keys, int b, int j) {
    if (keys.ragged() != null) {
      return Offsets.ofLengths(keys.ragged().lengths())[b] + j;
    }
    if (keys.table() == null) {
      return b * keys.room() + j;
    }
    long width = keys.table().shape()[1];
    return (int) keys.table().values()[(int) (b * width + j / keys.room())] * keys.room()
        + j % keys.room();
  }

  private static boolean isSeen(Causal causal, int window, int queries, int keys, int j) {
    int shift = causal == Causal.BOTTOM_RIGHT ? keys - queries : 0;
    boolean seen = false;
    for (int i = 0; i < queries; i++) {
      int ahead = j - (i + shift);
      seen |=
          (causal == Causal.NONE || ahead <= 0)
              && (window == 0 || -ahead < window && (causal != Causal.NONE || ahead < window));
    }
    return seen;
  }

  /** Keys or values, of signed bytes with their scales. */
  private List<Data> cached(String name, DType dtype, boolean[] seen, long... shape) {
    if (!codes) {
      return List.of(hidden(Data.normal(random, name, shape), seen).withDtype(dtype));
    }
    long[] rows = Arrays.copyOf(shape, shape.length - 1);
    return List.of(
        Data.input(random, name, r -> r.nextInt(255) - 127, shape).withDtype(DType.I8),
        hidden(Data.input(random, name + " scales", r -> (1 + r.nextDouble()) / 127, rows), seen));
  }

  /** The same with tokens that no query sees NaN and infinite. */
  private static Data hidden(Data data, boolean[] seen) {
    return data.withValues(
        data.contents()
            .changed(
                values -> {
                  int row = seen.length == 0 ? 0 : values.length / seen.length;
                  for (int i = 0; i < values.length; i++) {
                    if (!seen[i / row]) {
                      values[i] = i % 3 == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
                    }
                  }
                  return values;
                }));
  }
}
