package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.numbers;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Sums, means and extremes along an axis, and the largest elements of rows. */
final class ReductionCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final DType[] SORTED = {
    DType.F32, DType.BF16, DType.F16, DType.I64, DType.I32, DType.I8, DType.U8
  };
  private static final double[] SPECIAL = {
    Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0, -0.0
  };
  // No number either, with a sign.
  private static final double NEGATIVE_NAN = Double.longBitsToDouble(0xfff8L << 48);

  private ReductionCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("reduce", ReductionCases::reduce),
        Generator.of("scan", ReductionCases::scan),
        Generator.of("scan-empty", ReductionCases::emptyScan).times(0.2),
        Generator.of("argmax", ReductionCases::argmax),
        Generator.of("topk", ReductionCases::topk),
        Generator.of("sort", ReductionCases::sort).times(2),
        Generator.of("sort-long", ReductionCases::sortLong).times(0.1),
        Generator.of("sample", ReductionCases::sample));
  }

  private static Case reduce(long seed) {
    Random random = Seeds.random(seed);
    Reduction reduction = Reduction.values()[(int) (seed % Reduction.values().length)];
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    DType result = random.nextBoolean() ? DType.F32 : dtype;
    long[] shape = {Sizes.any(random, 9), Sizes.any(random, 100), Sizes.any(random, 100)};
    switch (random.nextInt(8)) {
      case 0 -> shape = new long[] {4, 16000 + random.nextInt(20000), 1};
      case 1 -> shape = new long[] {Sizes.some(random, 3), 250 + random.nextInt(800), 7};
      case 2 -> shape = new long[] {2, Sizes.some(random, 9), 1000 + random.nextInt(1200)};
      case 3 -> shape[2] = 1;
      default -> {}
    }
    if (reduction != Reduction.SUM) {
      shape[1] = Math.max(1, shape[1]);
    }
    double shift = random.nextInt(4) == 0 ? 100 : 0;
    Data x = Data.input(random, "x", r -> shift + r.nextGaussian(), shape).withDtype(dtype);
    x = random.nextInt(4) > 0 ? x : x.with(random, SPECIAL[random.nextInt(SPECIAL.length)]);
    x = random.nextBoolean() ? x : x.scattered(random);
    boolean exact = reduction == Reduction.MAX || reduction == Reduction.MIN;
    List<Data> data = List.of(x, Data.output("y", shape[0], shape[2]).withDtype(result));
    return new Case(
        "reduce seed %d %s %s to %s".formatted(seed, reduction, dtype, result),
        data,
        of -> new Reduce(of.apply("x"), reduction, of.apply("y")),
        exact,
        null);
  }

  private static Case scan(long seed) {
    return scan(seed, null);
  }

  private static Case emptyScan(long seed) {
    long[][] shapes = {{3, 0, 2}, {0, 4, 1}, {2, 3, 0}};
    return scan(seed, shapes[(int) Math.floorMod(seed, 3L)]);
  }

  /**
   * @param given null for any
   */
  private static Case scan(long seed, long[] given) {
    Random random = Seeds.random(seed);
    ScanOp op = ScanOp.values()[(int) (seed % 2)];
    DType dtype =
        new DType[] {DType.F32, DType.F32, DType.BF16, DType.F16, DType.I64}[random.nextInt(5)];
    long[] any = {Sizes.any(random, 33), Sizes.any(random, 65), Sizes.any(random, 33)};
    switch (random.nextInt(4)) {
      case 0 -> any = new long[] {Sizes.some(random, 5), 250 + random.nextInt(800), 1};
      case 1 -> any = new long[] {1, Sizes.some(random, 9), 250 + random.nextInt(400)};
      case 2 -> any[2] = 1;
      default -> {}
    }
    long[] shape = given == null ? any : given;
    // Products stay within a type's numbers where the factors are about 1.
    Data x =
        dtype == DType.I64
            ? Data.rows(
                "x",
                dtype,
                Values.drawn(random.nextLong(), count(shape), r -> r.nextInt(3) - 1),
                shape)
            : Data.input(
                    random,
                    "x",
                    op == ScanOp.SUM
                        ? Random::nextGaussian
                        : r -> (1 + r.nextGaussian() / 50) * (r.nextBoolean() ? 1 : -1),
                    shape)
                .withDtype(dtype);
    if (dtype != DType.I64 && random.nextInt(4) == 0) {
      x = x.with(random, SPECIAL[random.nextInt(SPECIAL.length)]);
    }
    x = random.nextBoolean() ? x : x.scattered(random);
    String description = "scan seed %d %s %s".formatted(seed, op, dtype);
    List<Data> data = List.of(x, Data.output("y", shape).withDtype(dtype));
    return dtype == DType.I64
        ? Case.exact(description, data, of -> new Scan(of.apply("x"), op, of.apply("y")))
        : Case.of(description, data, of -> new Scan(of.apply("x"), op, of.apply("y")));
  }

  private static int count(long... shape) {
    return Math.toIntExact(shape[0] * shape[1] * shape[2]);
  }

  /** Rows with many equal elements; now and then special ones. */
  private static Data ranked(Random random, long rows, long columns) {
    long different = 1 + random.nextInt(200);
    Data x =
        Data.input(random, "x", r -> r.nextLong(different) - (different >> 1), rows, columns)
            .withDtype(FLOATS[random.nextInt(FLOATS.length)]);
    x =
        switch (random.nextInt(4)) {
          case 0 -> x.with(random, SPECIAL);
          case 1 -> x.with(random, Double.NaN, Double.NaN, Double.NaN);
          default -> x;
        };
    return random.nextBoolean() ? x : x.spread(random);
  }

  private static long columns(Random random) {
    return random.nextInt(4) == 0 ? 4000 + random.nextInt(6000) : Sizes.some(random, 100);
  }

  private static Case argmax(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 17);
    return Case.exact(
        "argmax seed " + seed,
        List.of(ranked(random, rows, columns(random)), Data.output("y", rows).withDtype(DType.I64)),
        of -> new ArgMax(of.apply("x"), of.apply("y")));
  }

  private static Case topk(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 9);
    // A large k takes columns² steps on CUDA.
    long columns = random.nextInt(9) == 0 ? 0 : Math.min(columns(random), 2000 + seed % 600);
    Data x = ranked(random, rows, columns);
    long k = random.nextInt(3) == 0 ? columns : random.nextLong(Math.min(columns, 70) + 1);
    return Case.exact(
        "topk seed %d k %d".formatted(seed, k),
        List.of(
            x,
            Data.output("values", rows, k).withDtype(x.dtype()),
            Data.output("indices", rows, k).withDtype(DType.I64)),
        of -> new TopK(of.apply("x"), of.apply("values"), of.apply("indices")));
  }

  /** Rows around the borders of vectors, parts and powers of two. */
  private static Case sort(long seed) {
    Random random = Seeds.random(seed);
    long columns =
        switch (random.nextInt(4)) {
          case 0 -> (1L << random.nextInt(12)) + random.nextInt(-1, 2);
          case 1 -> 1000 + random.nextInt(3000);
          default -> Sizes.any(random, 100);
        };
    return sort(random, seed, Sizes.any(random, columns > 100 ? 3 : 33), columns);
  }

  /** A row that threads share. */
  private static Case sortLong(long seed) {
    Random random = Seeds.random(seed);
    return sort(random, seed, 1 + random.nextInt(2), (1 << 16) + random.nextInt(-1, 5000));
  }

  private static Case sort(Random random, long seed, long rows, long columns) {
    DType dtype = SORTED[(int) Math.floorMod(seed, (long) SORTED.length)];
    Data x = sorted(random, dtype, rows, columns);
    x = random.nextBoolean() ? x : x.scattered(random);
    boolean descending = random.nextBoolean();
    long k = random.nextInt(4) == 0 ? random.nextLong(columns + 1) : columns;
    List<Data> data = new ArrayList<>(List.of(x));
    int which = random.nextInt(3);
    if (which != 0) {
      data.add(Data.output("values", rows, k).withDtype(dtype));
    }
    if (which != 1) {
      data.add(Data.output("indices", rows, k).withDtype(DType.I64));
    }
    return Case.exact(
            "sort seed %d %s%s k %d".formatted(seed, dtype, descending ? " falling" : "", k),
            data,
            of -> new Sort(of.apply("x"), descending, of.apply("values"), of.apply("indices")))
        .likeItself();
  }

  /** Numbers of all sizes or many equal ones, and the ends of the type. */
  private static Data sorted(Random random, DType dtype, long rows, long columns) {
    int count = Math.toIntExact(rows * columns);
    boolean equal = random.nextInt(3) == 0;
    if (dtype.bytes() == 1 || dtype == DType.I32 || dtype == DType.I64) {
      boolean signed = dtype != DType.U8;
      double most = Math.scalb(1.0, 8 * dtype.bytes() - (signed ? 1 : 0));
      double least = signed ? -most : 0;
      double last = dtype == DType.I64 ? most : most - 1;
      Values values =
          Values.drawn(
              random.nextLong(),
              count,
              r ->
                  switch (equal ? 2 : r.nextInt(9)) {
                    case 0 -> least;
                    case 1 -> last;
                    // Of one sign they differ in their last digit alone.
                    case 2, 3 -> r.nextInt(5) + (signed && columns % 2 == 0 ? -2 : 0);
                    default -> Math.rint(least + (last - least) * r.nextDouble());
                  });
      return Data.rows("x", dtype, values, rows, columns);
    }
    Data x =
        Data.input(
                random,
                "x",
                r -> equal ? r.nextInt(5) - 2 : Math.scalb(r.nextGaussian(), r.nextInt(-9, 9)),
                rows,
                columns)
            .withDtype(dtype);
    return random.nextInt(3) == 0
        ? x
        : x.with(random, SPECIAL).with(random, NEGATIVE_NAN, -0.0, 0, NEGATIVE_NAN, Double.NaN);
  }

  /** Scores in a range like a model's, some of them equal; now and then special ones. */
  private static Case sample(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 5);
    long columns = Math.min(columns(random), 1500 + seed % 600);
    double step = random.nextInt(3) == 0 ? 0.5 : 0;
    double width = new double[] {0, 1, 4, 30, 1e4, 1e30}[random.nextInt(6)];
    Data x =
        Data.input(
            random,
            "x",
            r -> step == 0 ? width * r.nextGaussian() : step * Math.rint(r.nextGaussian() * 3),
            rows,
            columns);
    x =
        switch (random.nextInt(6)) {
          case 0 -> x.with(random, SPECIAL);
          case 1 -> x.with(random, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
          case 2 -> x.withValues(x.contents().changed(ReductionCases::forbid));
          // No token is allowed.
          case 3 -> x.withValues(x.contents().changed(ReductionCases::none));
          default -> x;
        };
    x = random.nextBoolean() ? x : x.spread(random);
    double[] temperature = new double[(int) rows];
    double[] settings = new double[Sample.SETTINGS * (int) rows];
    for (int r = 0; r < rows; r++) {
      temperature[r] = new float[] {0, 1, 0.7f, 1.5f, 1e-3f, 100}[random.nextInt(6)];
      int at = Sample.SETTINGS * r;
      settings[at] = random.nextBoolean() ? 0 : 1 + random.nextLong(2 * columns);
      settings[at + 1] = random.nextBoolean() ? 0 : random.nextLong();
      settings[at + 2] = random.nextBoolean() ? 0 : Math.rint(Sample.ONE * random.nextDouble());
      settings[at + 3] = random.nextLong();
    }
    return Case.exact(
        "sample seed " + seed,
        List.of(
            x,
            Data.vector("temperature", DType.F32, temperature),
            Data.rows("settings", DType.I64, Values.of(settings), rows, Sample.SETTINGS),
            Data.output("y", rows).withDtype(DType.I64)),
        of ->
            new Sample(
                of.apply("x"), of.apply("temperature"), of.apply("settings"), of.apply("y")));
  }

  private static double[] none(double[] values) {
    Arrays.fill(values, Double.NEGATIVE_INFINITY);
    return values;
  }

  /** Half of the elements are such as nobody may choose. */
  private static double[] forbid(double[] values) {
    for (int i = 0; i < values.length; i += 2) {
      values[i] = Double.NEGATIVE_INFINITY;
    }
    return values;
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad("scan: op is missing", () -> new Scan(at(IN, 0, 1, 4, 8), null, at(OUT, 0, 1, 4, 8))),
        bad(
            "scan: y is F32[4, 8], expected 3 axes",
            () -> new Scan(at(IN, 0, 1, 4, 8), ScanOp.SUM, Y)),
        bad("reduce: x is F32[4, 8], expected 3 axes", () -> new Reduce(X, Reduction.SUM, Y)),
        bad(
            "reduce: y is F32[4, 8], expected shape [4, 2]",
            () -> new Reduce(of(IN, 4, 8, 2), Reduction.SUM, Y)),
        bad(
            "reduce: y is F16[4, 2], expected F32 or BF16",
            () ->
                new Reduce(
                    Operand.of(IN, DType.BF16, 4, 8, 2),
                    Reduction.SUM,
                    Operand.of(OUT, DType.F16, 4, 2))),
        bad(
            "reduce: x is F32[4, 0, 2], there is no MEAN of nothing",
            () -> new Reduce(of(IN, 4, 0, 2), Reduction.MEAN, of(OUT, 4, 2))),
        bad("reduce: reduction is missing", () -> new Reduce(of(IN, 4, 8, 2), null, Y)),
        bad(
            "argmax: x is F32[4, 0], expected at least one column",
            () -> new ArgMax(of(IN, 4, 0), Operand.of(OUT, DType.I64, 4))),
        bad("argmax: y is F32[4], expected I64", () -> new ArgMax(X, of(OUT, 4))),
        bad(
            "sort: x is I16[4, 8], expected F32, BF16, F16, I64, I32, I8 or U8",
            () -> new Sort(Operand.of(IN, DType.I16, 4, 8), false, null, numbers(4))),
        bad("sort: x is F32[4], expected 2 axes", () -> new Sort(of(IN, 4), true, Y, null)),
        bad(
            "sort: values and indices are missing, expected one of them or both",
            () -> new Sort(X, false, null, null)),
        bad(
            "sort: values is BF16[4, 3], expected F32",
            () -> new Sort(X, false, Operand.of(OUT, DType.BF16, 4, 3), null)),
        bad(
            "sort: values is F32[3, 8], expected shape [4, 8]",
            () -> new Sort(X, false, of(OUT, 3, 8), null)),
        bad(
            "sort: k is 9, expected 0 to the columns of x F32[4, 8]",
            () -> new Sort(X, false, of(OUT, 4, 9), null)),
        bad("sort: indices is I64[4], expected 2 axes", () -> new Sort(X, false, null, numbers(4))),
        bad(
            "sort: indices is I64[4, 2], expected shape [4, 3]",
            () -> new Sort(X, false, of(OUT, 4, 3), Operand.of(IN, DType.I64, 4, 2))),
        bad(
            "sort: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new Sort(X, false, X, null)),
        bad(
            "sample: x is F32[4, 0], expected 1 to 4194304 columns",
            () -> new Sample(of(IN, 4, 0), of(OUT, 4), numbers(16), numbers(4))),
        bad(
            "sample: settings is I64[16], expected 2 axes",
            () -> new Sample(X, of(OUT, 4), numbers(16), numbers(4))),
        bad(
            "topk: k is 9, expected 0 to the columns of x F32[4, 8]",
            () -> new TopK(X, of(OUT, 4, 9), numbers(4))),
        bad(
            "topk: indices is I64[4], expected 2 axes",
            () -> new TopK(X, of(OUT, 4, 3), numbers(4))),
        bad(
            "topk: values is BF16[4, 3], expected F32",
            () -> new TopK(X, Operand.of(OUT, DType.BF16, 4, 3), numbers(4))));
  }
}
