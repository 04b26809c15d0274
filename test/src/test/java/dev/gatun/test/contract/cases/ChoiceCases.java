package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;

import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Comparisons and the choice between two operands, of any strides and types. */
final class ChoiceCases {
  private static final DType[] NUMBERS = {
    DType.F32, DType.BF16, DType.F16, DType.I64, DType.I32, DType.I8, DType.U8
  };

  private ChoiceCases() {}

  static Case compare(long seed) {
    Random random = Seeds.random(seed);
    Comparison comparison = Comparison.values()[(int) (seed % Comparison.values().length)];
    DType dtype = NUMBERS[random.nextInt(NUMBERS.length)];
    long[] shape = Sizes.shape(random, 6, 3000);
    boolean plain = random.nextInt(3) == 0;
    Data y = Data.output("y", shape).withDtype(DType.BOOL);
    return Case.exact(
            "compare seed %d %s %s %s".formatted(seed, comparison, dtype, Arrays.toString(shape)),
            List.of(
                numbers(random, "a", dtype, plain, shape),
                numbers(random, "b", dtype, plain, shape),
                plain || random.nextBoolean() ? y : y.scattered(random)),
            of -> new Compare(of.apply("a"), of.apply("b"), comparison, of.apply("y")))
        .likeItself();
  }

  static Case where(long seed) {
    Random random = Seeds.random(seed);
    DType dtype = NUMBERS[(int) (seed % NUMBERS.length)];
    long[] shape = Sizes.shape(random, 6, 3000);
    boolean plain = random.nextInt(3) == 0;
    // In the place of none, of the first, of the second.
    int place = random.nextInt(3);
    List<Data> data = new ArrayList<>();
    long[] told = plain ? shape : ElementwiseCases.part(random, shape);
    Data condition =
        whole(random, "condition", random.nextBoolean() ? DType.BOOL : DType.U8, 2, told);
    data.add(plain || random.nextBoolean() ? condition : condition.scattered(random));
    Data a = numbers(random, "a", dtype, plain || place == 1, shape);
    Data b = numbers(random, "b", dtype, plain || place == 2, shape);
    data.add(place == 1 ? a.inPlace() : a);
    data.add(place == 2 ? b.inPlace() : b);
    if (place == 0) {
      Data y = Data.output("y", shape).withDtype(dtype);
      data.add(plain || random.nextBoolean() ? y : y.scattered(random));
    }
    String into = place == 1 ? "a" : place == 2 ? "b" : "y";
    return Case.exact(
            "where seed %d %s %s into %s".formatted(seed, dtype, Arrays.toString(shape), into),
            data,
            of -> new Where(of.apply("condition"), of.apply("a"), of.apply("b"), of.apply(into)))
        .likeItself();
  }

  /** Numbers of which many are equal, of the whole shape or of a part that is repeated to it. */
  private static Data numbers(
      Random random, String name, DType dtype, boolean whole, long... shape) {
    long[] own = whole ? shape : ElementwiseCases.part(random, shape);
    boolean floats = dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
    Data data =
        floats
            ? Data.input(random, name, r -> r.nextInt(7) - 3 + r.nextInt(2) / 256.0, own)
                .withDtype(dtype)
            : whole(random, name, dtype, 5, own);
    if (floats && random.nextInt(3) == 0) {
      data = data.with(random, 0, -0.0, Double.NaN, Double.NaN, Double.NEGATIVE_INFINITY, 1e-40);
    }
    return whole || random.nextBoolean() ? data : data.scattered(random);
  }

  /** Whole numbers below a limit, of signed types on both sides of 0. */
  private static Data whole(Random random, String name, DType dtype, int limit, long... shape) {
    int count = (int) Arrays.stream(shape).reduce(1, (x, y) -> x * y);
    int least = dtype == DType.U8 || dtype == DType.BOOL ? 0 : -limit;
    Values values = Values.drawn(random.nextLong(), count, r -> least + r.nextInt(limit - least));
    return Data.rows(name, dtype, values, shape);
  }

  static List<BadCall> badCalls() {
    Operand flags = Operand.of(OUT, DType.BOOL, 4, 8);
    return List.of(
        bad("compare: comparison is missing", () -> new Compare(X, X, null, flags)),
        bad("compare: y is F32[4, 8], expected BOOL", () -> new Compare(X, X, Comparison.LESS, Y)),
        bad("where: condition is F32[4, 8], expected BOOL or U8", () -> new Where(X, X, X, Y)),
        bad(
            "where: b is F32[3, 8], cannot be broadcast to y F32[4, 8]",
            () -> new Where(flags, X, at(IN, 64, 3, 8), Y)));
  }
}
