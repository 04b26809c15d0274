package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.ids;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.CacheScales;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Heads turned by random angles, in place, into new memory and into caches. */
final class RotaryCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  private RotaryCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("rotary_embedding", RotaryCases::rotary),
        Generator.of("rotary_cache_update", seed -> cacheUpdate(seed, false)),
        Generator.of("rotary_cache_update-codes", seed -> cacheUpdate(seed, true)));
  }

  /** Heads and pairs of whole vectors, rows that begin where vectors may. */
  static List<Generator> tiles() {
    return List.of(
        Generator.of("rotary_embedding-wide", seed -> wide(seed, false)).times(0.4),
        Generator.of("rotary_cache_update-wide", seed -> wide(seed, true)).times(0.4));
  }

  private static Case wide(long seed, boolean cached) {
    Random random = Seeds.random(seed);
    DType dtype = FLOATS[(int) Math.floorMod(seed, 3L)];
    boolean interleaved = Math.floorMod(seed / 3, 2L) == 0;
    long tokens = 1 + random.nextInt(9);
    long heads = 1 + random.nextInt(4);
    long kvHeads = 1 + random.nextInt(2);
    long size = 16 * (1 + random.nextInt(8));
    // Some heads have a part behind the pairs, which is copied.
    long half = random.nextBoolean() ? size / 2 : 8 * random.nextLong(size / 16 + 1);
    long positions = 1 + random.nextInt(50);
    long width = (heads + (cached ? 2 * kvHeads : 0)) * size;
    long gap = 8L * random.nextInt(3);
    List<Data> data = new ArrayList<>(angles(random, positions, half));
    data.add(Data.ids(random, "positions", positions, tokens));
    Data x = special(random, Data.normal(random, "x", tokens, width).withDtype(dtype));
    Data y = Data.output("y", tokens, heads, size).withDtype(dtype);
    data.add(y.withStrides(heads * size + gap, size, 1));
    String description =
        "seed %d wide %s%s".formatted(seed, dtype, interleaved ? " interleaved" : "");
    if (!cached) {
      Data heads3 = Data.rows("x", dtype, x.contents(), tokens, heads, size);
      data.add(heads3.withStrides(heads * size + gap, size, 1));
      return Case.of("rotary_embedding " + description, data, of -> embedding(of, interleaved));
    }
    int rows = 1 + random.nextInt(3);
    int room = 1 + random.nextInt(9);
    data.add(x.withStrides(width + gap, 1));
    data.add(Data.ids("slots", slots(random, (int) tokens, rows * room)));
    for (String name : List.of("keys", "values")) {
      Data cache = Data.output(name, rows, room, kvHeads, size).withDtype(dtype);
      boolean byHead = random.nextBoolean();
      data.add(byHead ? cache.withStrides(kvHeads * room * size, size, room * size, 1) : cache);
    }
    return Case.of("rotary_cache_update " + description, data, of -> update(of, interleaved));
  }

  private static RotaryEmbedding embedding(Function<String, Operand> of, boolean interleaved) {
    return new RotaryEmbedding(
        of.apply("x"),
        of.apply("cosine"),
        of.apply("sine"),
        Indices.unchecked(of.apply("positions")),
        interleaved,
        of.apply("y"));
  }

  private static RotaryCacheUpdate update(Function<String, Operand> of, boolean interleaved) {
    return new RotaryCacheUpdate(
        of.apply("x"),
        of.apply("cosine"),
        of.apply("sine"),
        // Of each second call's positions something is known.
        interleaved
            ? new Indices(of.apply("positions"), of.apply("cosine").size(0))
            : Indices.unchecked(of.apply("positions")),
        interleaved,
        Indices.unchecked(of.apply("slots")),
        of.apply("y"),
        of.apply("keys"),
        of.apply("values"),
        null);
  }

  /** Tables of the cosine and sine of random angles, for up to all pairs of a head. */
  private static List<Data> tables(Random random, long positions, long size) {
    return angles(
        random, positions, random.nextBoolean() ? size / 2 : random.nextLong(size / 2 + 1));
  }

  private static List<Data> angles(Random random, long positions, long half) {
    long angles = random.nextLong();
    return List.of(
        Data.input(angles, "cosine", r -> Math.cos(6 * r.nextDouble()), positions, half),
        Data.input(angles, "sine", r -> Math.sin(6 * r.nextDouble()), positions, half));
  }

  /** Also such as models have, whose halves are whole vectors. */
  private static long size(Random random, int limit) {
    return random.nextInt(3) == 0 ? 16 * (1 + random.nextInt(8)) : Sizes.any(random, limit);
  }

  private static Data special(Random random, Data x) {
    return random.nextInt(5) > 0
        ? x
        : x.with(random, Double.NaN, Double.POSITIVE_INFINITY, -0.0, 6e4);
  }

  private static Case rotary(long seed) {
    Random random = Seeds.random(seed);
    long tokens = Sizes.any(random, 33);
    long heads = Sizes.any(random, 5);
    long size = size(random, 100);
    long positions = 1 + random.nextInt(50);
    boolean interleaved = random.nextBoolean();
    boolean inPlace = random.nextBoolean();
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    Data x = special(random, Data.normal(random, "x", tokens, heads, size).withDtype(dtype));
    if (random.nextBoolean()) {
      x = x.withStrides(heads * size + random.nextInt(9), size, 1);
    }
    List<Data> data = new ArrayList<>(tables(random, positions, size));
    data.add(inPlace ? x.inPlace() : x);
    data.add(Data.ids(random, "positions", positions, tokens));
    data.add(Data.output("y", tokens, heads, size).withDtype(dtype));
    return Case.of(
        "rotary_embedding seed %d %s%s%s"
            .formatted(seed, dtype, interleaved ? " interleaved" : "", inPlace ? " in place" : ""),
        data,
        of ->
            new RotaryEmbedding(
                of.apply("x"),
                of.apply("cosine"),
                of.apply("sine"),
                Indices.unchecked(of.apply("positions")),
                interleaved,
                of.apply(inPlace ? "x" : "y")));
  }

  /**
   * @param codes whether caches are signed bytes
   */
  private static Case cacheUpdate(long seed, boolean codes) {
    Random random = Seeds.random(seed);
    long tokens = Sizes.any(random, 33);
    long heads = Sizes.any(random, 5);
    long kvHeads = Sizes.any(random, 3);
    long size = size(random, 65);
    long positions = 1 + random.nextInt(50);
    boolean interleaved = random.nextBoolean();
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    int rows = Sizes.any(random, 5);
    int room = Sizes.any(random, 16);
    long width = (heads + 2 * kvHeads) * size;
    Data qkv = special(random, Data.normal(random, "qkv", tokens, width).withDtype(dtype));
    Data query = Data.output("query", tokens, heads, size).withDtype(dtype);
    if (random.nextBoolean()) {
      query = query.withStrides(heads * size + random.nextInt(9), size, 1);
    }
    List<Data> data = new ArrayList<>(tables(random, positions, size));
    data.add(random.nextBoolean() ? qkv.spread(random) : qkv);
    data.add(Data.ids(random, "positions", positions, tokens));
    data.add(Data.ids("slots", slots(random, (int) tokens, rows * room)));
    data.add(query);
    for (String name : List.of("keys", "values")) {
      Data cache = Data.output(name, rows, room, kvHeads, size);
      data.add(cache(random, cache.withDtype(codes ? DType.I8 : dtype)));
      if (codes) {
        data.add(Data.output(name + " scales", rows, room, kvHeads));
      }
    }
    return Case.of(
        "rotary_cache_update seed %d %s%s%s"
            .formatted(seed, dtype, codes ? " as codes" : "", interleaved ? " interleaved" : ""),
        data,
        of ->
            new RotaryCacheUpdate(
                of.apply("qkv"),
                of.apply("cosine"),
                of.apply("sine"),
                Indices.unchecked(of.apply("positions")),
                interleaved,
                Indices.unchecked(of.apply("slots")),
                of.apply("query"),
                of.apply("keys"),
                of.apply("values"),
                codes
                    ? new CacheScales(of.apply("keys scales"), of.apply("values scales"))
                    : null));
  }

  /** Distinct slots in random order, now and then -1, and -1 where there are no more. */
  private static double[] slots(Random random, int tokens, int slots) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, slots).boxed().toList());
    Collections.shuffle(order, random);
    double[] places = new double[tokens];
    Arrays.setAll(places, i -> i < slots && random.nextInt(8) > 0 ? order.get(i) : -1);
    return places;
  }

  /** A cache as it comes, with gaps, or with the tokens of each head one after another. */
  private static Data cache(Random random, Data cache) {
    long room = cache.shape()[1];
    long heads = cache.shape()[2];
    long size = cache.shape()[3];
    return switch (random.nextInt(3)) {
      case 0 -> cache;
      case 1 -> cache.spread(random);
      default -> cache.withStrides(heads * room * size, size, room * size, 1);
    };
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad(
            "rotary_embedding: cosine F32[5, 5] has more pairs than the heads of x F32[4, 1, 8]",
            () -> {
              Operand table = at(IN, 64, 5, 5);
              return new RotaryEmbedding(
                  of(IN, 4, 1, 8), table, table, ids(4), false, of(OUT, 4, 1, 8));
            }),
        bad(
            "rotary_embedding: y is F32[4, 1, 8], expected BF16",
            () -> {
              Operand table = at(IN, 64, 5, 4);
              Operand x = Operand.of(IN, DType.BF16, 4, 1, 8);
              return new RotaryEmbedding(x, table, table, ids(4), false, of(OUT, 4, 1, 8));
            }),
        bad(
            "rotary_embedding: cosine is BF16[5, 4], expected F32",
            () -> {
              Operand table = Operand.of(OUT, DType.BF16, 5, 4);
              Operand x = Operand.of(IN, DType.BF16, 4, 1, 8);
              return new RotaryEmbedding(x, table, table, ids(4), false, x);
            }),
        bad(
            "rotary_cache_update: qkv is F32[4, 31], expected shape [4, 32]",
            () -> update(of(IN, 4, 31), ids(4), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: query is F32[4, 2, 8], expected shape [3, 2, 8]",
            () -> update(of(IN, 3, 32), ids(4), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: slots is I64[3], expected shape [4]",
            () -> update(of(IN, 4, 32), ids(3), cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: slots is missing",
            () -> update(of(IN, 4, 32), null, cache(3, 5, 1, 8))),
        bad(
            "rotary_cache_update: qkv is F32[4, 32], expected shape [4, 48]",
            () -> update(of(IN, 4, 32), ids(4), cache(3, 5, 2, 8))),
        bad(
            "rotary_cache_update: key cache is F32[3, 5, 1, 7], expected shape [3, 5, 1, 8]",
            () -> update(of(IN, 4, 32), ids(4), cache(3, 5, 1, 7))),
        bad(
            "rotary_cache_update: outputs F32[4, 2, 8] and F32[3, 5, 1, 8] overlap in memory",
            () -> update(of(IN, 4, 32), ids(4), of(OUT, 3, 5, 1, 8))),
        bad(
            "rotary_cache_update: key cache F32[3, 5, 1, 8] has strides [8, 8, 8, 1], expected no"
                + " two elements at one place",
            () ->
                update(
                    of(IN, 4, 32),
                    ids(4),
                    new Operand(
                        OUT, 200, DType.F32, new long[] {3, 5, 1, 8}, new long[] {8, 8, 8, 1}))));
  }

  private static Operand cache(long... shape) {
    return at(OUT, 200, shape);
  }

  private static KernelCall update(Operand qkv, Indices slots, Operand keyCache) {
    Operand table = at(IN, 256, 5, 4);
    Operand query = of(OUT, 4, 2, 8);
    Operand values = at(OUT, 1000, keyCache.shape());
    return new RotaryCacheUpdate(
        qkv, table, table, ids(qkv.size(0)), false, slots, query, keyCache, values, null);
  }
}
