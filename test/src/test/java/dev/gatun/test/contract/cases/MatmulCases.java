package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random products with every activation, gaps between rows, and deep sums. */
final class MatmulCases {
  private static final DType[] WHOLE = {DType.I64, DType.I32, DType.I8, DType.U8};

  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  private MatmulCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("matmul_pack", MatmulCases::pack),
        Generator.of("matmul", MatmulCases::matmul),
        Generator.of("matmul-wide", MatmulCases::wide).times(0.15),
        Generator.of("matmul-apart", MatmulCases::apart).times(0.05),
        Generator.of("matmul-rows", MatmulCases::rows),
        Generator.of("batched_matmul", MatmulCases::batched),
        Generator.of("cast", MatmulCases::cast),
        Generator.of("cast-whole", MatmulCases::castWhole));
  }

  /** Products that tiles of tensor cores take: half precision, depths that are multiples of 8. */
  static List<Generator> tiles(Target target) {
    return List.of(
        Generator.of("matmul", MatmulCases::tile),
        Generator.of("matmul-deep", MatmulCases::deepTile).times(0.4),
        Generator.of("matmul-large", s -> largeTile(s, target)).times(0.14));
  }

  private static Case tile(long seed) {
    Random random = Seeds.random(seed);
    long m = random.nextBoolean() ? Sizes.any(random, 17) : 1 + random.nextInt(300);
    long n = 1 + random.nextInt(200);
    long k = 8 * (1 + random.nextInt(30));
    DType dtype = FLOATS[1 + random.nextInt(2)];
    return product(seed, random, dtype, m, n, k, "tile");
  }

  /** More output features than a task of the processor's kernels has. */
  private static Case wide(long seed) {
    Random random = Seeds.random(seed);
    long m = 1 + random.nextInt(50);
    long n = 129 + random.nextInt(200);
    long k = 1 + random.nextInt(60);
    return floats(random, m, n, k, "matmul seed %d wide".formatted(seed));
  }

  /** Rows 4 KB apart, which share the sets of a cache, for more than one task of features. */
  private static Case apart(long seed) {
    Random random = Seeds.random(seed);
    long m = 33 + random.nextInt(40);
    long n = 129 + random.nextInt(40);
    return floats(random, m, n, 1024, "matmul seed %d apart".formatted(seed));
  }

  /** A weight as a file has it: so many rows of x that it is packed as a whole, or fewer. */
  private static Case rows(long seed) {
    Random random = Seeds.random(seed);
    long m = random.nextInt(4) == 0 ? 125 + random.nextInt(30) : 1 + random.nextInt(12);
    long n = random.nextInt(4) == 0 ? Sizes.any(random, 200) : 1 + random.nextInt(200);
    // Pairs of numbers, which are turned about where they lie, but for some.
    long k = random.nextInt(4) == 0 ? Sizes.any(random, 100) : 2 * (1 + random.nextInt(170));
    DType dtype = FLOATS[random.nextInt(3)];
    boolean wide = dtype == DType.F32;
    Data weight = Data.normal(random, "weight", n, k).withDtype(dtype);
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", m, k).withDtype(dtype));
    data.add(random.nextInt(3) == 0 ? weight.spread(random) : weight);
    data.add(Data.output("y", m, n).withDtype(wide ? dtype : FLOATS[random.nextInt(3)]));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    Activation activation = random.nextBoolean() ? Activation.GELU : Activation.NONE;
    String description = "matmul seed %d rows %s %s".formatted(seed, dtype, activation);
    return product(description, data, activation)
        .withOracle(product(description, data.stream().map(Data::widened).toList(), activation));
  }

  private static Case floats(Random random, long m, long n, long k, String description) {
    List<Data> data =
        List.of(
            Data.normal(random, "x", m, k),
            packed(Data.normal(random, "weight", n, k), DType.F32),
            Data.output("y", m, n),
            Data.normal(random, "bias", n));
    return product(description, data, Activation.NONE);
  }

  /** So deep that every stage of a pipeline is used many times. */
  private static Case deepTile(long seed) {
    Random random = Seeds.random(seed);
    long m = random.nextBoolean() ? 1 + random.nextInt(16) : 17 + random.nextInt(64);
    long n = 1 + random.nextInt(100);
    long k = 1024 + 8 * random.nextInt(30);
    DType dtype = FLOATS[1 + random.nextInt(2)];
    return product(seed, random, dtype, m, n, k, "tile deep");
  }

  /**
   * So many results that the largest tile takes them, and few enough tokens for no other kernel.
   */
  private static Case largeTile(long seed, Target target) {
    Random random = Seeds.random(seed);
    DType dtype = FLOATS[1 + (int) (seed & 1)];
    boolean narrow = target.capability() == 90;
    long m = narrow ? 64 : 1650 + random.nextInt(60);
    long n = Math.ceilDiv(128L * 128 * 128, m) + random.nextInt(40);
    long k = 8 * (random.nextBoolean() ? 1 + random.nextInt(4) : 13 + random.nextInt(4));
    return product(seed, random, dtype, m, n, k, "tile large");
  }

  private static Case product(
      long seed, Random random, DType dtype, long m, long n, long k, String name) {
    Activation activation = Activation.values()[random.nextInt(Activation.values().length)];
    Data weight = Data.normal(random, "weight", n, k).withDtype(dtype);
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", m, k).withDtype(dtype));
    data.add(packed(weight, dtype));
    data.add(Data.output("y", m, n).withDtype(FLOATS[random.nextInt(3)]));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    List<Data> exact = new ArrayList<>(data.stream().map(Data::widened).toList());
    exact.set(1, packed(weight.widened(), DType.F32));
    String description = "matmul seed %d %s %s %s".formatted(seed, name, dtype, activation);
    return product(description, data, activation)
        .withOracle(product(description, exact, activation));
  }

  /** Products of BF16 that fill Hopper's tiles, some deeper than its ring of them, and others. */
  static List<Generator> hopper(Target target) {
    return List.of(
        Generator.of("matmul-others", MatmulCases::tile).times(2),
        Generator.of("matmul", s -> hopper(s, target, false)),
        Generator.of("matmul-deep", s -> hopper(s, target, true)).times(0.1),
        Generator.of("matmul-odd", s -> oddHopper(s, target)).times(0.25));
  }

  private static Case hopper(long seed, Target target, boolean deep) {
    Random random = Seeds.random(seed);
    long m = 65 + random.nextInt(300);
    // Blocks of 256 features by 128 tokens on at least half of the multiprocessors.
    int least = (int) Math.ceilDiv(target.multiprocessors(), 2 * Math.ceilDiv(m, 128));
    int columns = Math.max(least, 1 + random.nextInt(3));
    long n = 256L * (columns - 1) + 1 + random.nextInt(256);
    long k = 8 * (deep ? 128 + random.nextInt(60) : 1 + random.nextInt(20));
    return product(seed, random, DType.BF16, m, n, k, deep ? "hopper deep" : "hopper");
  }

  /** An odd number of output features, with a bias. */
  private static Case oddHopper(long seed, Target target) {
    Random random = Seeds.random(seed);
    int columns = Math.max(1, Math.ceilDiv(target.multiprocessors(), 2));
    long m = 65 + random.nextInt(60);
    long n = 256L * (columns - 1) + 1 + 2 * random.nextInt(128);
    long k = 8 * (1 + random.nextInt(20));
    Data weight = Data.normal(random, "weight", n, k).withDtype(DType.BF16);
    Data x = Data.normal(random, "x", m, k).withDtype(DType.BF16);
    DType y = FLOATS[random.nextInt(3)];
    return product(
        "matmul seed %d hopper odd".formatted(seed), x, weight, y, random, Activation.NONE);
  }

  private static Case pack(long seed) {
    Random random = Seeds.random(seed);
    long n = Sizes.any(random, 100);
    long k = Sizes.any(random, 100);
    long experts = random.nextInt(4) == 0 ? random.nextInt(4) : -1;
    DType dtype = FLOATS[random.nextInt(3)];
    Data weight;
    if (experts >= 0) {
      weight = Data.normal(random, "weight", experts, n, k).spread(random);
    } else {
      weight = Data.normal(random, "weight", n, k);
      weight = random.nextBoolean() ? weight.spread(random) : weight.withStrides(1, Math.max(1, n));
    }
    weight = weight.withDtype(FLOATS[random.nextInt(3)]);
    long count = Math.abs(experts) * MatmulPack.packedCount(dtype, n, k);
    return Case.exact(
            "matmul_pack seed %d %s".formatted(seed, dtype),
            List.of(weight, Data.output("packed", count).withDtype(dtype)),
            of -> new MatmulPack(of.apply("weight"), of.apply("packed")))
        .likeItself();
  }

  private static Case cast(long seed) {
    Random random = Seeds.random(seed);
    DType from = FLOATS[random.nextInt(3)];
    double scale = new double[] {1, 1e-6, 1e6, 1e38}[random.nextInt(4)];
    Data x =
        Data.input(
                random,
                "x",
                r -> scale * r.nextGaussian(),
                Sizes.any(random, 33),
                Sizes.any(random, 100))
            .withDtype(from)
            .with(random, 0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, 65520, 65519, 5.9e-8);
    return Case.exact(
            "cast seed %d from %s".formatted(seed, from),
            List.of(x, Data.output("y", x.shape()).withDtype(FLOATS[random.nextInt(3)])),
            of -> new Cast(of.apply("x"), of.apply("y")))
        .likeItself();
  }

  /** To whole numbers and from them, what lies between two and what is too large among them. */
  private static Case castWhole(long seed) {
    Random random = Seeds.random(seed);
    DType whole = WHOLE[(int) (seed % WHOLE.length)];
    DType other = random.nextBoolean() ? FLOATS[random.nextInt(3)] : WHOLE[random.nextInt(4)];
    boolean up = random.nextBoolean();
    long[] shape = {Sizes.any(random, 33), Sizes.any(random, 100)};
    boolean floats = !up && List.of(FLOATS).contains(other);
    Data x =
        Data.input(
                random, "x", floats ? r -> r.nextInt(801) / 2.0 - 200 : r -> r.nextInt(128), shape)
            .withDtype(up ? whole : other);
    return Case.exact(
            "cast seed %d %s %s and %s".formatted(seed, up ? "from" : "to", whole, other),
            List.of(
                floats ? x.with(random, Double.NaN, -0.5, 1.5, 2.5) : x,
                Data.output("y", shape).withDtype(up ? other : whole)),
            of -> new Cast(of.apply("x"), of.apply("y")))
        .likeItself();
  }

  private static Case matmul(long seed) {
    Random random = Seeds.random(seed);
    long m = Sizes.any(random, 100);
    long n = Sizes.any(random, 100);
    // Now and then deeper than a block along k, or more rows than a block of rows.
    long k = random.nextInt(5) == 0 ? 500 + random.nextInt(600) : Sizes.any(random, 100);
    m = random.nextInt(8) == 0 ? 122 + random.nextInt(20) : m;
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    DType dtype = FLOATS[random.nextInt(3)];
    boolean wide = dtype == DType.F32;
    List<Data> data = new ArrayList<>();
    // A product with BF16 weights rounds x, so it gets numbers that stay what they are.
    Data x = Data.normal(random, "x", m, k).withDtype(dtype);
    x = random.nextInt(6) == 0 ? x.with(random, Double.NaN, Double.POSITIVE_INFINITY, 1e4) : x;
    data.add(wide || random.nextBoolean() ? x : x.widened());
    Data weight = Data.normal(random, "weight", n, k).withDtype(dtype);
    data.add(packed(weight, dtype));
    data.add(Data.output("y", m, n).withDtype(wide ? dtype : FLOATS[random.nextInt(3)]));
    if (random.nextBoolean()) {
      data.set(0, data.get(0).spread(random));
      data.set(2, data.get(2).spread(random));
    }
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    List<Data> exact = new ArrayList<>(data.stream().map(Data::widened).toList());
    exact.set(1, packed(weight.widened(), DType.F32));
    String description = "matmul seed %d %s %s".formatted(seed, dtype, activation);
    return product(description, data, activation)
        .withOracle(product(description, exact, activation));
  }

  /**
   * A product of two factors, with a bias where there is something to draw it by.
   *
   * @param weight not packed
   * @param y the type of the results
   */
  static Case product(
      String description, Data x, Data weight, DType y, Random bias, Activation activation) {
    long n = weight.shape()[0];
    List<Data> data = new ArrayList<>();
    data.add(x);
    data.add(packed(weight, weight.dtype()));
    data.add(Data.output("y", x.shape()[0], n).withDtype(y));
    if (bias != null) {
      data.add(Data.normal(bias, "bias", n));
    }
    List<Data> exact = new ArrayList<>(data.stream().map(Data::widened).toList());
    exact.set(1, packed(weight.widened(), DType.F32));
    return product(description, data, activation)
        .withOracle(product(description, exact, activation));
  }

  private static Case product(String description, List<Data> data, Activation activation) {
    return Case.of(
        description,
        data,
        of ->
            new Matmul(
                of.apply("x"),
                of.apply(data.get(1).name()),
                of.apply("bias"),
                activation,
                of.apply("y")));
  }

  /** A weight [n, k] as it is packed, zero where no feature is. */
  static Data packed(Data weight, DType dtype) {
    long n = weight.shape()[0];
    long k = weight.shape()[1];
    long count = MatmulPack.packedCount(dtype, n, k);
    Values values =
        weight.contents().changed(rows -> packed(rows, dtype, k, new double[(int) count]));
    return Data.vector("packed", dtype, count, values);
  }

  private static double[] packed(double[] rows, DType dtype, long k, double[] packed) {
    for (int i = 0; i < rows.length; i++) {
      packed[(int) MatmulPack.place(dtype, i / k, i % k, k)] = rows[i];
    }
    return packed;
  }

  private static Case batched(long seed) {
    Random random = Seeds.random(seed);
    long batch = Sizes.any(random, 4);
    // Now and then deeper than a block along k, or more rows than a block of rows.
    boolean large = random.nextInt(8) == 0;
    long m = large ? 115 + random.nextInt(20) : Sizes.any(random, 65);
    long n = large ? 125 + random.nextInt(20) : Sizes.any(random, 65);
    long k = random.nextInt(8) == 0 ? 500 + random.nextInt(100) : Sizes.any(random, 100);
    DType dtype = FLOATS[random.nextInt(3)];
    boolean accumulates = random.nextInt(3) == 0;
    return Case.of(
        "batched_matmul seed %d %s%s".formatted(seed, dtype, accumulates ? " added" : ""),
        List.of(
            factor(random, "a", batch, m, k).withDtype(dtype),
            factor(random, "b", batch, n, k).withDtype(dtype),
            accumulates
                ? Data.normal(random, "c", batch, m, n).inPlace()
                : Data.output("c", batch, m, n)
                    .withDtype(random.nextBoolean() ? dtype : DType.F32)),
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("c"), accumulates));
  }

  /** A factor [batch, rows, k] by rows, by columns, with any strides, or the same for all. */
  private static Data factor(Random random, String name, long batch, long rows, long k) {
    Data factor = Data.normal(random, name, batch, rows, k);
    return switch (random.nextInt(5)) {
      case 0 -> factor.spread(random);
      case 1 -> factor.withStrides(rows * k, 1, Math.max(1, rows));
      case 2 -> factor.scattered(random);
      case 3 -> repeated(factor);
      default -> factor;
    };
  }

  /** A batch of one matrix. */
  private static Data repeated(Data factor) {
    int each = (int) (factor.shape()[1] * factor.shape()[2]);
    Values values =
        factor
            .contents()
            .changed(
                all -> {
                  for (int i = each; i < all.length; i++) {
                    all[i] = all[i % each];
                  }
                  return all;
                });
    return factor.withValues(values).withStrides(0, factor.strides()[1], factor.strides()[2]);
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad(
            "cast: x is BOOL[4, 8], expected F32, BF16, F16, I64, I32, I8 or U8",
            () -> new Cast(Operand.of(IN, DType.BOOL, 4, 8), Y)),
        bad("cast: y is F32[4, 8], expected shape [4, 7]", () -> new Cast(of(IN, 4, 7), Y)),
        bad(
            "matmul: weight is F32[8], expected shape [256]",
            () -> new Matmul(X, at(IN, 64, 8), null, Activation.NONE, Y)),
        bad(
            "matmul: weight is F32[8, 9], expected shape [8, 8]",
            () -> new Matmul(X, at(IN, 64, 8, 9), null, Activation.NONE, Y)),
        bad(
            "matmul: weight F32[8, 8] has strides [1, 8], expected the last to be 1",
            () ->
                new Matmul(
                    X,
                    new Operand(IN, 64, DType.F32, new long[] {8, 8}, new long[] {1, 8}),
                    null,
                    Activation.NONE,
                    Y)),
        bad(
            "matmul: y F32[4, 8] has overlapping rows, stride 4",
            () ->
                new Matmul(
                    X,
                    at(IN, 64, 256),
                    null,
                    Activation.NONE,
                    new Operand(OUT, 0, DType.F32, new long[] {4, 8}, new long[] {4, 1}))),
        bad(
            "batched_matmul: b is F32[2, 3, 5], expected shape [2, 3, 4]",
            () -> new BatchedMatmul(of(IN, 2, 3, 4), at(IN, 64, 2, 3, 5), of(OUT, 2, 3, 3))),
        bad(
            "matmul_pack: the packed form of weight F32[4294967296, 2147483647] has more elements",
            () ->
                new MatmulPack(
                    new Operand(
                        IN, 0, DType.F32, new long[] {1L << 32, (1L << 31) - 1}, new long[2]),
                    Operand.of(OUT, DType.BF16, 8))),
        bad(
            "matmul: the packed weight of x F32[0, 4611686018427387904] has more elements",
            () -> new Matmul(of(IN, 0, 1L << 62), X, null, Activation.NONE, of(OUT, 0, 1L << 40))));
  }
}
