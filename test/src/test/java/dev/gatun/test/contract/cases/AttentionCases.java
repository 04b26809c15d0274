package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Random attention: every mask kind, strides, ragged batches, grouped heads, extreme values. */
final class AttentionCases {
  // As messages of this kernel begin.
  private static final String NAME = "scaled_dot_product_attention: ";
  private static final DType[] FLOATS = {DType.F32, DType.F32, DType.BF16, DType.F16};

  private static final int[] TILE_SIZES = {8, 16, 40, 64, 64, 72, 96, 128, 128, 136, 200, 256};

  private static final int[] HOPPER_SIZES = {40, 64, 64, 72, 128, 128};

  private AttentionCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("scaled_dot_product_attention", AttentionCases::one).times(3),
        Generator.of("scaled_dot_product_attention-codes", s -> one(s, false, false, false, true)));
  }

  /** Cases that tiles of tensor cores take: half precision, head sizes that are multiples of 8. */
  static List<Generator> tiles() {
    return List.of(
        Generator.of("scaled_dot_product_attention", s -> one(s, true, false, false, false))
            .times(2),
        Generator.of("scaled_dot_product_attention-deep", s -> one(s, true, false, true, false))
            .times(0.4),
        Generator.of("scaled_dot_product_attention-splits", AttentionCases::splits).times(0.1),
        Generator.of("scaled_dot_product_attention-codes", s -> one(s, true, false, false, true))
            .times(2),
        Generator.of(
                "scaled_dot_product_attention-deep-codes", s -> one(s, true, false, true, true))
            .times(0.4));
  }

  /** Cases that Hopper's tiles take: more than half a tile of queries, mostly plain scores. */
  static List<Generator> hopper() {
    return List.of(
        Generator.of("scaled_dot_product_attention", s -> one(s, true, true, false, false))
            .times(2),
        Generator.of("scaled_dot_product_attention-deep", s -> one(s, true, true, true, false))
            .times(0.3));
  }

  private static Case one(long seed) {
    return one(seed, false, false, false, false);
  }

  /**
   * @param deep every query sees so many keys that a ring of their tiles goes round several times
   * @param codes keys and values are signed bytes
   */
  private static Case one(long seed, boolean tiles, boolean hopper, boolean deep, boolean codes) {
    Random random = Seeds.random(seed);
    boolean ragged = !deep && random.nextBoolean();
    int batch = deep ? 1 : Sizes.any(random, 3);
    int kvHeads = 1 + random.nextInt(3);
    int heads = kvHeads * (1 + random.nextInt(3));
    batch = hopper ? 1 + random.nextInt(2) : batch;
    kvHeads = hopper ? 1 : kvHeads;
    heads = hopper ? 1 + random.nextInt(2) : heads;
    int size =
        hopper
            ? HOPPER_SIZES[random.nextInt(HOPPER_SIZES.length)]
            : tiles ? TILE_SIZES[random.nextInt(TILE_SIZES.length)] : Sizes.any(random, 65);
    int other = tiles ? TILE_SIZES[random.nextInt(TILE_SIZES.length)] : Sizes.any(random, 65);
    int valueSize = hopper || random.nextBoolean() ? size : other;
    DType dtype = FLOATS[tiles ? 2 + random.nextInt(2) : random.nextInt(FLOATS.length)];
    boolean decoding = tiles && !hopper && (deep || random.nextInt(3) == 0);
    int[] lengths = lengths(random, batch, 2);
    if (decoding) {
      Arrays.setAll(lengths, i -> random.nextInt(9));
    }
    if (hopper) {
      Arrays.setAll(lengths, i -> random.nextInt(300));
      lengths[0] = 65 + random.nextInt(300);
    }
    Ragged queries = ragged ? Ragged.random(random, "query offsets", lengths) : null;
    long queryLength =
        ragged
            ? queries.longest()
            : decoding ? 1 + random.nextInt(8) : hopper ? lengths[0] : length(random, 2);
    int room =
        hopper
            ? 1 + random.nextInt(random.nextInt(3) == 0 ? 1000 : 300)
            : decoding ? random.nextInt(1500) : length(random, tiles ? 1 : 4);
    room = deep ? 530 + random.nextInt(400) : room;
    KeyLayout keys =
        deep
            ? new KeyLayout(null, null, null, batch, room, 0)
            : KeyLayout.random(random, batch, room);
    long keyLength = keys.longest();
    Causal causal = deep ? Causal.NONE : Causal.values()[random.nextInt(3)];
    long window = !deep && random.nextInt(3) == 0 ? 1 + random.nextInt(70) : 0;
    // Now and then what Hopper's tiles do not take, and others do there.
    boolean plain = hopper && random.nextInt(5) > 0;
    int sign = hopper && !plain && random.nextBoolean() ? -1 : 1;
    // Now and then so large that few keys count, yet not so that one does.
    float scale = sign * (random.nextInt(8) == 0 ? 4 : 1) / (float) Math.sqrt(Math.max(1, size));
    float softcap = !plain && random.nextInt(4) == 0 ? 5 : 0;
    Dropout dropout =
        !plain && random.nextInt(4) == 0 ? new Dropout(0.3f, random.nextLong()) : Dropout.NONE;

    List<Data> data = new ArrayList<>();
    data.add(
        vectors(random, tiles, "query", dtype, shape(queries, batch, queryLength, heads, size)));
    data.add(cached(random, tiles, codes, "key", dtype, keys.shape(kvHeads, size)));
    data.add(cached(random, tiles, codes, "value", dtype, keys.shape(kvHeads, valueSize)));
    Data output =
        Data.output("output", shape(queries, batch, queryLength, heads, valueSize))
            .withDtype(dtype);
    data.add(random.nextBoolean() ? spread(output, random, tiles) : output);
    if (ragged) {
      data.add(queries.data());
    }
    data.addAll(keys.data());
    if (codes) {
      long[] rows = Arrays.copyOf(keys.shape(kvHeads, size), keys.ragged() != null ? 2 : 3);
      for (String name : List.of("key scales", "value scales")) {
        data.add(Data.input(random, name, r -> (1 + r.nextDouble()) / 127, rows));
      }
    }
    if (!plain && random.nextBoolean()) {
      double blind = random.nextInt(4) == 0 ? 1 : 0.3;
      data.add(
          Data.input(random, "mask", r -> r.nextDouble() < blind ? 0 : 1, batch, keyLength)
              .withDtype(DType.U8));
    }
    boolean biased = !plain && random.nextBoolean();
    if (biased) {
      data.add(bias(random, batch, heads, queryLength, keyLength));
    }
    if (!plain && random.nextInt(4) == 0) {
      data.add(Data.input(random, "slopes", r -> r.nextDouble() / 4, heads));
    }
    if (random.nextInt(4) == 0) {
      data.add(Data.input(random, "sinks", AttentionEdges::sink, heads));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("lse", batch, heads, queryLength));
    }
    if (tiles ? Math.floorMod(seed, 10L) == 7 : random.nextInt(3) == 0) {
      data.add(Data.output("weights", batch, heads, queryLength, keyLength));
    }
    if (random.nextInt(6) == 0) {
      double special =
          new double[] {Double.NaN, Double.POSITIVE_INFINITY, 1e30, 1e-40}[random.nextInt(4)];
      // A key or value that is not seen may be NaN, so those are tried in every place.
      // Not a value in a tile, which is multiplied by 0 where a query does not see it.
      int which = biased || dropout.probability() > 0 ? 0 : random.nextInt(tiles ? 2 : 3);
      if (codes && which > 0) {
        which = data.stream().map(Data::name).toList().indexOf(data.get(which).name() + " scales");
      }
      data.set(which, data.get(which).with(random, special));
      if (codes && special == 1e30) {
        // It is all of a score: that the plain computation's three roundings of it cancel is
        // chance,
        // and a kernel's single one shows in full.
        data.removeIf(d -> d.name().equals("lse"));
      }
    }
    return Case.of(
        "scaled_dot_product_attention seed %d %s%s %dx%d %s%s %s window %d scale %s softcap %s dropout %s"
            .formatted(
                seed,
                dtype,
                codes ? " and codes" : "",
                size,
                valueSize,
                causal,
                ragged ? " ragged" : "",
                keys,
                window,
                scale,
                softcap,
                dropout.probability()),
        data,
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                queries == null ? null : queries.offsets(of),
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
                of.apply("weights")));
  }

  /** One query of so many keys that these are split among more blocks than a warp has lanes. */
  private static Case splits(long seed) {
    Random random = Seeds.random(seed);
    int size = 8;
    int room = 8_500 + random.nextInt(1000);
    DType dtype = FLOATS[2 + (int) (seed & 1)];
    return Case.of(
        "scaled_dot_product_attention seed %d splits %s of %d".formatted(seed, dtype, room),
        List.of(
            Data.normal(random, "query", 1, 1, 1, size).withDtype(dtype),
            Data.normal(random, "key", 1, room, 1, size).withDtype(dtype),
            Data.normal(random, "value", 1, room, 1, size).withDtype(dtype),
            Data.output("output", 1, 1, 1, size).withDtype(dtype),
            Data.output("lse", 1, 1, 1)),
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                null,
                new KeyLayout(null, null, null, 1, room, 0).keys(of),
                new AttentionScores(0.3f, 0, null, null, null),
                new AttentionMask(Causal.NONE, 0, null),
                Dropout.NONE,
                of.apply("lse"),
                null));
  }

  /** A length that is now and then longer than a block of keys or a chunk of queries. */
  private static int length(Random random, int often) {
    return random.nextInt(often * 8) == 0 ? 129 + random.nextInt(300) : Sizes.any(random, 100);
  }

  static int[] lengths(Random random, int sequences, int often) {
    int[] lengths = new int[sequences];
    Arrays.setAll(lengths, i -> length(random, often));
    return lengths;
  }

  private static Data bias(Random random, long batch, long heads, long queries, long keys) {
    double low = random.nextBoolean() ? -1e9 : Double.NEGATIVE_INFINITY;
    boolean additive = random.nextBoolean();
    long[] shape = {batch, heads, queries, keys};
    for (int axis = 0; axis < 4; axis++) {
      shape[axis] = random.nextBoolean() ? 1 : shape[axis];
    }
    return Data.input(
        random, "bias", r -> additive && r.nextInt(3) == 0 ? low : r.nextGaussian(), shape);
  }

  private static long[] shape(Ragged offsets, long batch, long length, long heads, long size) {
    return offsets == null
        ? new long[] {batch, length, heads, size}
        : new long[] {offsets.tokens(), heads, size};
  }

  private static Data cached(
      Random random, boolean tiles, boolean codes, String name, DType dtype, long... shape) {
    if (!codes) {
      return vectors(random, tiles, name, dtype, shape);
    }
    Data data = Data.input(random, name, r -> r.nextInt(255) - 127, shape).withDtype(DType.I8);
    return random.nextBoolean() ? spread(data, random, tiles) : data;
  }

  private static Data vectors(
      Random random, boolean tiles, String name, DType dtype, long... shape) {
    Data data = Data.normal(random, name, shape).withDtype(dtype);
    return random.nextBoolean() ? spread(data, random, tiles) : data;
  }

  /** Gaps between rows, for tiles of 16 bytes. */
  private static Data spread(Data data, Random random, boolean tiles) {
    if (!tiles) {
      return data.spread(random);
    }
    long[] strides = data.strides().clone();
    long next = 1;
    for (int axis = strides.length - 1; axis >= 0; axis--) {
      strides[axis] = next;
      next *= Math.max(1, data.shape()[axis]);
      next += axis == strides.length - 1 ? 8L * random.nextInt(2) : 0;
    }
    return data.withStrides(strides);
  }

  static List<BadCall> badCalls() {
    Operand query = of(IN, 1, 4, 2, 8);
    Operand key = at(IN, 64, 1, 5, 2, 8);
    return List.of(
        bad(
            "attention scores: scale is NaN, expected a finite number",
            () -> attention(query, key, null, null, Float.NaN)),
        bad(
            NAME + "query F32[1, 4, 2, 8] has 2 heads, not a multiple of key F32[1, 5, 3, 8]",
            () -> attention(query, at(IN, 64, 1, 5, 3, 8), null, null, 1)),
        bad(
            NAME + "key is F32[1, 5, 2, 9], expected shape [1, 5, 2, 8]",
            () -> attention(query, at(IN, 64, 1, 5, 2, 9), null, null, 1)),
        bad(
            NAME + "bias is F32[1, 2, 3, 5], expected [1, 2, 4, 5] or 1 on an axis",
            () -> attention(query, key, null, at(IN, 900, 1, 2, 3, 5), 1)),
        bad(
            NAME + "key mask is F32[1, 5], expected U8",
            () -> attention(query, key, at(IN, 900, 1, 5), null, 1)),
        bad(
            "attention mask: window is -1, expected 0 or more",
            () -> with(AttentionKeys.PADDED, new AttentionMask(Causal.NONE, -1, null))),
        bad(
            "attention scores: softcap is -2.0, expected 0 or a positive number",
            () -> scores(new AttentionScores(1, -2, null, null, null))),
        bad(
            NAME
                + "output F32[1, 4, 2, 8] has strides [64, 4, 8, 1], expected no two elements at"
                + " one place",
            () ->
                into(
                    new Operand(
                        OUT, 0, DType.F32, new long[] {1, 4, 2, 8}, new long[] {64, 4, 8, 1}))),
        bad(
            NAME + "2 key lengths, expected 1",
            () -> with(AttentionKeys.padded(lengths(2, 4)), AttentionMask.NONE)),
        bad(
            NAME + "key length 6, the keys have room for 5",
            () -> with(AttentionKeys.padded(lengths(1, 6)), AttentionMask.NONE)),
        bad(
            "lengths: the longest is -6, expected 0 or more",
            () -> with(AttentionKeys.padded(lengths(1, -6)), AttentionMask.NONE)),
        bad(
            NAME + "key is F32[1, 5, 2, 8], expected I8",
            () -> with(AttentionKeys.PADDED.withScales(scales(1, 5, 2)), AttentionMask.NONE)),
        bad(
            NAME + "key is I8[1, 5, 2, 8], expected F32",
            () -> attention(query, codes(1, 5, 2, 8), null, null, 1)),
        bad(
            NAME + "key scales is F32[1, 5, 1], expected shape [1, 5, 2]",
            () ->
                new ScaledDotProductAttention(
                    query,
                    codes(1, 5, 2, 8),
                    codes(1, 5, 2, 8),
                    of(OUT, 1, 4, 2, 8),
                    null,
                    AttentionKeys.PADDED.withScales(scales(1, 5, 1)),
                    AttentionScores.scaled(1),
                    AttentionMask.NONE,
                    Dropout.NONE,
                    null,
                    null)),
        bad(
            "attention keys: a block table needs the lengths",
            () -> with(new AttentionKeys(null, null, Indices.unchecked(X)), AttentionMask.NONE)),
        bad(
            NAME + "key is F32[1, 5, 2, 8], expected 3 axes",
            () -> with(AttentionKeys.ragged(offsets(1, 5, 5)), AttentionMask.NONE)));
  }

  private static ScaledDotProductAttention attention(
      Operand query, Operand key, Operand mask, Operand bias, float scale) {
    return new ScaledDotProductAttention(
        query,
        key,
        key,
        of(OUT, 1, 4, 2, 8),
        null,
        AttentionKeys.PADDED,
        AttentionScores.scaled(scale, bias),
        AttentionMask.of(mask),
        Dropout.NONE,
        null,
        null);
  }

  private static Lengths lengths(int rows, int longest) {
    return new Lengths(ints(rows), longest);
  }

  /** Offsets of so many sequences. */
  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(ints(sequences + 1), tokens, longest);
  }

  private static Operand codes(long... shape) {
    return new Operand(IN, 0, DType.I8, shape, Operand.rowMajor(shape));
  }

  private static CacheScales scales(long... shape) {
    return new CacheScales(at(IN, 900, shape), at(IN, 900, shape));
  }

  private static KernelCall with(AttentionKeys keys, AttentionMask mask) {
    return new ScaledDotProductAttention(
        of(IN, 1, 4, 2, 8),
        at(IN, 64, 1, 5, 2, 8),
        at(IN, 64, 1, 5, 2, 8),
        of(OUT, 1, 4, 2, 8),
        null,
        keys,
        AttentionScores.scaled(1),
        mask,
        Dropout.NONE,
        null,
        null);
  }

  private static KernelCall into(Operand output) {
    Operand query = of(IN, 1, 4, 2, 8);
    return ScaledDotProductAttention.of(query, query, query, output, 1);
  }

  private static KernelCall scores(AttentionScores scores) {
    Operand query = of(IN, 1, 4, 2, 8);
    return new ScaledDotProductAttention(
        query,
        query,
        query,
        of(OUT, 1, 4, 2, 8),
        null,
        AttentionKeys.PADDED,
        scores,
        AttentionMask.NONE,
        Dropout.NONE,
        null,
        null);
  }
}
