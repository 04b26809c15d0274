package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
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
import java.util.function.Function;
import java.util.function.IntUnaryOperator;

/** One or two operands of any strides into one: broadcast, transposed, with gaps, in place. */
final class ElementwiseCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final DType[] WHOLE = {DType.I64, DType.I32, DType.I8, DType.U8};
  private static final BinaryOp[] OF_FLOATS =
      Arrays.stream(BinaryOp.values()).filter(BinaryOp::takesFloats).toArray(BinaryOp[]::new);
  private static final BinaryOp[] OF_WHOLE =
      Arrays.stream(BinaryOp.values()).filter(BinaryOp::takesWhole).toArray(BinaryOp[]::new);
  private static final UnaryOp[] UNARY_OF_WHOLE =
      Arrays.stream(UnaryOp.values()).filter(UnaryOp::takesWhole).toArray(UnaryOp[]::new);
  private static final double[] EDGES = {
    Double.NEGATIVE_INFINITY, -2, -1, -0.0, 0, 1, 2, Double.POSITIVE_INFINITY, Double.NaN
  };

  private ElementwiseCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("elementwise", seed -> elementwise(seed, OF_FLOATS, FLOATS)).times(2),
        Generator.of("elementwise-pairs", ElementwiseCases::pairs).times(1.5),
        Generator.of("elementwise-whole", seed -> elementwise(seed, OF_WHOLE, WHOLE)).times(2),
        Generator.of("elementwise-whole-pairs", ElementwiseCases::wholePairs).times(1.5),
        Generator.of("unary", seed -> unary(seed, UnaryOp.values(), FLOATS)).times(4),
        Generator.of("unary-whole", seed -> unary(seed, UNARY_OF_WHOLE, WHOLE)).times(2),
        Generator.of("random_numbers", ElementwiseCases::randomNumbers),
        Generator.of("compare", ChoiceCases::compare).times(3),
        Generator.of("where", ChoiceCases::where).times(2));
  }

  /** The same bits everywhere, whose seeds and sequences have 64. */
  private static Case randomNumbers(long seed) {
    Random random = Seeds.random(seed);
    RandomDistribution distribution = RandomDistribution.values()[(int) Math.floorMod(seed, 2L)];
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    float first = random.nextBoolean() ? 0 : 100 * (float) random.nextGaussian();
    float second = random.nextBoolean() ? 1 : 100 * (float) random.nextGaussian();
    long key = random.nextLong();
    long sequence = random.nextBoolean() ? random.nextInt(9) : random.nextLong();
    long count = random.nextBoolean() ? Sizes.any(random, 100) : random.nextInt(5000);
    return Case.exact(
            "random_numbers seed %d %s %s %s %s"
                .formatted(seed, distribution, dtype, first, second),
            List.of(Data.output("y", count).withDtype(dtype)),
            of -> new RandomNumbers(distribution, first, second, key, sequence, of.apply("y")))
        .likeItself();
  }

  private static Case elementwise(long seed, BinaryOp[] ops, DType... dtypes) {
    Random random = Seeds.random(seed);
    BinaryOp op = ops[(int) (seed % ops.length)];
    DType dtype = dtypes[random.nextInt(dtypes.length)];
    long[] shape = Sizes.shape(random, 6, 3000);
    int place = random.nextInt(4);
    List<Data> data = new ArrayList<>();
    Data a = operand(random, "a", dtype, place == 1 ? shape : part(random, shape));
    Data b = operand(random, "b", dtype, place == 2 ? shape : part(random, shape));
    data.add(place == 1 ? a.inPlace() : a);
    data.add(place == 2 ? b.inPlace() : b);
    if (place != 1 && place != 2) {
      Data y = Data.output("y", shape).withDtype(dtype);
      data.add(random.nextBoolean() ? y : y.scattered(random));
    }
    String into = place == 1 ? "a" : place == 2 ? "b" : "y";
    return of(
            op,
            "elementwise seed %d %s %s %s into %s"
                .formatted(seed, op, dtype, Arrays.toString(shape), into),
            data,
            of -> new Elementwise(of.apply("a"), of.apply("b"), op, of.apply(into)))
        .likeItself();
  }

  /** Every pair of some numbers that operations may take for one another. */
  private static Case pairs(long seed) {
    int ops = OF_FLOATS.length;
    BinaryOp op = OF_FLOATS[(int) Math.floorMod(seed, (long) ops)];
    DType dtype = FLOATS[(int) Math.floorMod(seed / ops, (long) FLOATS.length)];
    int count = EDGES.length;
    Values rows = Values.of(() -> placed(EDGES, i -> i / count));
    Values columns = Values.of(() -> placed(EDGES, i -> i % count));
    return of(
            op,
            "elementwise seed %d %s %s of pairs".formatted(seed, op, dtype),
            List.of(
                Data.rows("a", DType.F32, rows, count, count).withDtype(dtype),
                Data.rows("b", DType.F32, columns, count, count).withDtype(dtype),
                Data.output("y", count, count).withDtype(dtype)),
            of -> new Elementwise(of.apply("a"), of.apply("b"), op, of.apply("y")))
        .likeItself();
  }

  /** Every pair of whole numbers about 0 and the ends of their type. */
  private static Case wholePairs(long seed) {
    int ops = OF_WHOLE.length;
    BinaryOp op = OF_WHOLE[(int) Math.floorMod(seed, (long) ops)];
    DType dtype = WHOLE[(int) Math.floorMod(seed / ops, (long) WHOLE.length)];
    double[] edges = edges(dtype);
    int count = edges.length;
    return Case.exact(
            "elementwise seed %d %s %s of pairs".formatted(seed, op, dtype),
            List.of(
                Data.rows("a", dtype, Values.of(() -> placed(edges, i -> i / count)), count, count),
                Data.rows("b", dtype, Values.of(() -> placed(edges, i -> i % count)), count, count),
                Data.output("y", count, count).withDtype(dtype)),
            of -> new Elementwise(of.apply("a"), of.apply("b"), op, of.apply("y")))
        .likeItself();
  }

  /** A few numbers of a type of whole ones; the largest of I64 is that when it is rounded. */
  private static double[] edges(DType dtype) {
    if (dtype == DType.U8) {
      return new double[] {0, 1, 2, 3, 127, 128, 129, 253, 254, 255};
    }
    double end = Math.scalb(1.0, 8 * dtype.bytes() - 1);
    double most = dtype == DType.I64 ? end : end - 1;
    return new double[] {-end, -end / 2, -3, -2, -1, 0, 1, 2, 3, end / 2, most};
  }

  private static double[] placed(double[] edges, IntUnaryOperator place) {
    double[] values = new double[edges.length * edges.length];
    Arrays.setAll(values, i -> edges[place.applyAsInt(i)]);
    return values;
  }

  /** Exact, but for what is rounded twice. */
  private static Case of(
      BinaryOp op,
      String description,
      List<Data> data,
      Function<Function<String, Operand>, KernelCall> call) {
    return op == BinaryOp.DIVIDE_BY_ROOT
        ? Case.of(description, data, call)
        : Case.exact(description, data, call);
  }

  /** Operands of one shape without gaps, of whole vectors of 16 bytes. */
  static List<Generator> tiles() {
    return List.of(
        Generator.of("elementwise", ElementwiseCases::vectors).times(0.4),
        Generator.of("unary", ElementwiseCases::unaryVectors).times(0.8));
  }

  private static Case vectors(long seed) {
    Random random = Seeds.random(seed);
    BinaryOp op = OF_FLOATS[(int) (seed % OF_FLOATS.length)];
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    long[] shape = {Sizes.some(random, 33), 8L * Sizes.some(random, 33)};
    return of(
            op,
            "elementwise seed %d %s %s vectors".formatted(seed, op, dtype),
            List.of(
                Data.normal(random, "a", shape).withDtype(dtype),
                Data.normal(random, "b", shape).withDtype(dtype),
                Data.output("y", shape).withDtype(dtype)),
            of -> new Elementwise(of.apply("a"), of.apply("b"), op, of.apply("y")))
        .likeItself();
  }

  private static Case unary(long seed, UnaryOp[] ops, DType... dtypes) {
    Random random = Seeds.random(seed);
    UnaryOp op = ops[(int) (seed % ops.length)];
    DType dtype = dtypes[random.nextInt(dtypes.length)];
    long[] shape = Sizes.shape(random, 6, 3000);
    boolean inPlace = random.nextInt(3) == 0;
    Data x = numbers(random, dtype, inPlace ? shape : part(random, shape));
    x = random.nextBoolean() ? x : x.scattered(random);
    Data y = Data.output("y", shape).withDtype(dtype);
    y = random.nextBoolean() ? y : y.scattered(random);
    return of(
        op,
        "unary seed %d %s %s %s%s"
            .formatted(seed, op, dtype, Arrays.toString(shape), inPlace ? " in place" : ""),
        inPlace ? List.of(x.inPlace()) : List.of(x, y),
        of -> new Unary(of.apply("x"), op, of.apply(inPlace ? "x" : "y")));
  }

  private static Case unaryVectors(long seed) {
    Random random = Seeds.random(seed);
    UnaryOp op = UnaryOp.values()[(int) (seed % UnaryOp.values().length)];
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    long[] shape = {Sizes.some(random, 33), 8L * Sizes.some(random, 33)};
    return of(
        op,
        "unary seed %d %s %s vectors".formatted(seed, op, dtype),
        List.of(numbers(random, dtype, shape), Data.output("y", shape).withDtype(dtype)),
        of -> new Unary(of.apply("x"), op, of.apply("y")));
  }

  /** Exact where the result is a number of the type, or the rounding of a float's operation. */
  private static Case of(
      UnaryOp op,
      String description,
      List<Data> data,
      Function<Function<String, Operand>, KernelCall> call) {
    Case one =
        switch (op) {
          case ABS, NEGATE, SIGN, SQUARE, RECIPROCAL, SQRT, FLOOR, CEIL, ROUND, TRUNC ->
              Case.exact(description, data, call);
          default -> Case.of(description, data, call);
        };
    return one.likeItself();
  }

  /** Numbers of a few sizes: a result of a large one would hide how far a small one is off. */
  private static Data numbers(Random random, DType dtype, long... shape) {
    if (isWhole(dtype)) {
      return wholes(random, "x", dtype, shape);
    }
    double scale = new double[] {0.3, 1, 1, 3, 30, 1e4, 1e-6}[random.nextInt(7)];
    Data data = Data.input(random, "x", r -> scale * r.nextGaussian(), shape).withDtype(dtype);
    if (random.nextInt(3) == 0) {
      data =
          data.with(
              random,
              0,
              -0.0,
              1,
              -1,
              0.5,
              -2.5,
              1e-40,
              Double.NaN,
              Double.POSITIVE_INFINITY,
              Double.NEGATIVE_INFINITY);
    }
    return data;
  }

  static Data operand(Random random, String name, DType dtype, long... shape) {
    if (isWhole(dtype)) {
      Data data = wholes(random, name, dtype, shape);
      return random.nextBoolean() ? data : data.scattered(random);
    }
    Data data = Data.normal(random, name, shape).withDtype(dtype);
    if (random.nextInt(3) == 0) {
      data =
          data.with(
              random,
              0,
              -0.0,
              0,
              -0.0,
              60000,
              1e-7,
              Double.NaN,
              Double.POSITIVE_INFINITY,
              Double.NEGATIVE_INFINITY);
    }
    return random.nextBoolean() ? data : data.scattered(random);
  }

  private static boolean isWhole(DType dtype) {
    return Arrays.asList(WHOLE).contains(dtype);
  }

  /** Whole numbers of any size, those about 0 and the ends of their type among them. */
  private static Data wholes(Random random, String name, DType dtype, long... shape) {
    double[] edges = edges(dtype);
    int bits = 8 * dtype.bytes();
    Values values =
        Values.drawn(
            random.nextLong(),
            (int) Arrays.stream(shape).reduce(1, (x, y) -> x * y),
            r -> {
              if (r.nextInt(3) == 0) {
                return edges[r.nextInt(edges.length)];
              }
              int unused = Long.SIZE - bits + r.nextInt(bits);
              return dtype == DType.U8 ? r.nextLong() >>> unused : r.nextLong() >> unused;
            });
    return Data.rows(name, dtype, values, shape);
  }

  /** A shape that broadcasts to this one. */
  static long[] part(Random random, long... shape) {
    int lacking = random.nextInt(3) == 0 ? random.nextInt(shape.length + 1) : 0;
    long[] part = Arrays.copyOfRange(shape, lacking, shape.length);
    for (int axis = 0; axis < part.length; axis++) {
      part[axis] = random.nextInt(4) == 0 ? 1 : part[axis];
    }
    return part;
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad("unary: op is missing", () -> new Unary(X, null, Y)),
        bad(
            "unary: y is I64[4, 8], expected F32, BF16 or F16 for EXP",
            () -> new Unary(X, UnaryOp.EXP, Operand.of(OUT, DType.I64, 4, 8))),
        bad(
            "unary: x is BF16[4, 8], expected F32",
            () -> new Unary(Operand.of(IN, DType.BF16, 4, 8), UnaryOp.EXP, Y)),
        bad(
            "unary: x is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Unary(at(IN, 64, 3, 8), UnaryOp.EXP, Y)),
        bad("elementwise: op is missing", () -> new Elementwise(X, X, null, Y)),
        bad("elementwise: a is missing", () -> new Elementwise(null, X, BinaryOp.ADD, Y)),
        bad(
            "random_numbers: distribution is missing",
            () -> new RandomNumbers(null, 0, 1, 1, 0, Operand.of(OUT, DType.F32, 4))),
        bad(
            "random_numbers: y is I32[4], expected F32, BF16 or F16",
            () ->
                new RandomNumbers(
                    RandomDistribution.NORMAL, 0, 1, 1, 0, Operand.of(OUT, DType.I32, 4))),
        bad(
            "random_numbers: y is F32[4, 8], expected 1 axes",
            () -> new RandomNumbers(RandomDistribution.UNIFORM, 0, 1, 1, 0, Y)),
        bad(
            "elementwise: y is I64[4, 8], expected F32, BF16 or F16 for DIVIDE",
            () -> new Elementwise(X, X, BinaryOp.DIVIDE, Operand.of(OUT, DType.I64, 4, 8))),
        bad(
            "elementwise: y is F32[4, 8], expected I64, I32, I8 or U8 for REMAINDER",
            () -> new Elementwise(X, X, BinaryOp.REMAINDER, Y)),
        bad(
            "elementwise: a is F32[4, 8], expected I64",
            () -> new Elementwise(X, X, BinaryOp.ADD, Operand.of(OUT, DType.I64, 4, 8))),
        bad(
            "elementwise: y is I16[4, 8], expected F32, BF16, F16, I64, I32, I8 or U8",
            () -> new Elementwise(X, X, BinaryOp.ADD, Operand.of(OUT, DType.I16, 4, 8))),
        bad(
            "elementwise: b is BF16[4, 8], expected F32",
            () -> new Elementwise(X, Operand.of(IN, DType.BF16, 4, 8), BinaryOp.ADD, Y)),
        bad(
            "elementwise: b is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Elementwise(X, at(IN, 64, 3, 8), BinaryOp.ADD, Y)),
        bad(
            "elementwise: a is F32[1, 4, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Elementwise(at(IN, 0, 1, 4, 8), X, BinaryOp.ADD, Y)),
        bad(
            "elementwise: y is F32[1, 1, 1, 1, 1, 1, 1], expected at most 6 axes",
            () -> new Elementwise(X, X, BinaryOp.ADD, at(OUT, 0, 1, 1, 1, 1, 1, 1, 1))),
        bad(
            "elementwise: y F32[4, 8] has strides [0, 1], expected no two elements at one place",
            () ->
                new Elementwise(
                    X,
                    X,
                    BinaryOp.ADD,
                    new Operand(OUT, 0, DType.F32, new long[] {4, 8}, new long[] {0, 1}))),
        bad(
            "elementwise: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new Elementwise(X, at(IN, 8, 4, 8), BinaryOp.ADD, X)));
  }
}
