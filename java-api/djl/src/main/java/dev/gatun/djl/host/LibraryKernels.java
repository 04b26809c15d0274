package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the library's kernels do of an array's operations, of FLOAT32, FLOAT16 and BFLOAT16, some of
 * INT64, INT32, INT8 and UINT8 too. Each method says whether it did; loops do the rest, and what is
 * too small for a call to pay.
 */
final class LibraryKernels {
  /** Fewer elements are copied, added or summed before a kernel's threads are awake. */
  private static final long MANY = 1 << 15;

  /** Elements of a gradient that are limited at a time, to be read again from caches. */
  private static final long LIMITED = 1 << 18;

  /** The same of functions that take more than an instruction each. */
  private static final long SOME = 1 << 12;

  private static final long COLUMNS = 1024;

  /** The largest of so many times as many elements are found without sorting. */
  private static final long FEW = 64;

  private LibraryKernels() {}

  private static boolean fits(Strided... arrays) {
    DataType type = arrays[0].type();
    boolean fits =
        type == DataType.FLOAT32 || type == DataType.FLOAT16 || type == DataType.BFLOAT16;
    for (Strided array : arrays) {
      fits = fits && array.type() == type && array.rank() <= Operand.MOST_AXES;
    }
    return fits;
  }

  /** The same of whole numbers, of which kernels give what is left modulo 2^bits. */
  private static boolean fitsWhole(Strided... arrays) {
    DataType type = arrays[0].type();
    boolean fits =
        type == DataType.INT64
            || type == DataType.INT32
            || type == DataType.INT8
            || type == DataType.UINT8;
    for (Strided array : arrays) {
      fits = fits && array.type() == type && array.rank() <= Operand.MOST_AXES;
    }
    return fits;
  }

  private static boolean run(KernelCall call, Strided... arrays) {
    Device.cpu().kernels().run(call);
    Reference.reachabilityFence(arrays);
    return true;
  }

  /** y = x between any strides; of one type and equal shapes. */
  static boolean copy(Strided x, Strided y) {
    return x.type() == y.type()
        && x.type() != DataType.COMPLEX64
        && x.store() != y.store()
        && y.count() >= MANY
        && x.rank() <= Operand.MOST_AXES
        && x.isForward()
        && run(new Copy(x.operand(), y.operand()), x, y);
  }

  /** y = op(a, b); of equal shapes. */
  static boolean binary(BinaryOp op, Strided a, Strided b, Strided y) {
    if (y.count() < MANY) {
      return false;
    }
    if (op == BinaryOp.DIV && divide(a, b, y)) {
      return true;
    }
    dev.gatun.kernels.api.call.elementwise.BinaryOp own =
        switch (op) {
          case ADD -> dev.gatun.kernels.api.call.elementwise.BinaryOp.ADD;
          case SUB -> dev.gatun.kernels.api.call.elementwise.BinaryOp.SUBTRACT;
          case MUL -> dev.gatun.kernels.api.call.elementwise.BinaryOp.MULTIPLY;
          case DIV -> dev.gatun.kernels.api.call.elementwise.BinaryOp.DIVIDE;
          case MAXIMUM -> dev.gatun.kernels.api.call.elementwise.BinaryOp.MAXIMUM;
          case MINIMUM -> dev.gatun.kernels.api.call.elementwise.BinaryOp.MINIMUM;
          // The loops refuse a 0.
          case MOD ->
              isOneNumber(b) ? dev.gatun.kernels.api.call.elementwise.BinaryOp.REMAINDER : null;
          default -> null;
        };
    return own != null
        && (own.takesFloats() && fits(y, a, b) || own.takesWhole() && fitsWhole(y, a, b))
        && run(new Elementwise(a.operand(), b.operand(), own, y.operand()), a, b, y);
  }

  /** y = a / b of whole numbers, which are rounded to FLOAT32 first. */
  private static boolean divide(Strided a, Strided b, Strided y) {
    if (y.type() != DataType.FLOAT32
        || y.rank() > Operand.MOST_AXES
        || !fitsWhole(a)
        || !fitsWhole(b)) {
      return false;
    }
    List<Strided> made = new ArrayList<>();
    try {
      Operand left = rounded(made, a).operand();
      Operand right = rounded(made, b).operand();
      return run(
          new Elementwise(
              left, right, dev.gatun.kernels.api.call.elementwise.BinaryOp.DIVIDE, y.operand()),
          y);
    } finally {
      made.forEach(array -> array.store().release());
    }
  }

  private static Strided rounded(List<Strided> made, Strided x) {
    Strided once = x.distinct();
    if (!once.isContiguous()) {
      Strided apart = once;
      once = made(made, x.type(), apart.shape());
      HostKernels.INSTANCE.copy(apart, once);
    }
    Strided floats = made(made, DataType.FLOAT32, once.shape());
    long count = once.count();
    run(
        new Cast(once.reshaped(1, count).operand(), floats.reshaped(1, count).operand()),
        once,
        floats);
    return floats.expanded("div", x.shape());
  }

  /** Whether an array repeats one number, which is not 0. */
  private static boolean isOneNumber(Strided x) {
    for (int axis = 0; axis < x.rank(); axis++) {
      if (x.size(axis) == 0 || x.size(axis) > 1 && x.stride(axis) != 0) {
        return false;
      }
    }
    x.store().acquire();
    try {
      return x.codec().toDouble(x.store().segment(), x.offset() * x.codec().bytes()) != 0;
    } finally {
      x.store().free();
    }
  }

  /** y, of booleans, tells what a comparison of a and b does; of equal shapes. */
  static boolean compare(BinaryOp op, Strided a, Strided b, Strided y) {
    Comparison comparison =
        switch (op) {
          case EQ -> Comparison.EQUAL;
          case NEQ -> Comparison.NOT_EQUAL;
          case LT -> Comparison.LESS;
          case LTE -> Comparison.LESS_EQUAL;
          case GT -> Comparison.GREATER;
          case GTE -> Comparison.GREATER_EQUAL;
          default -> null;
        };
    return comparison != null
        && y.count() >= MANY
        && a.type() == b.type()
        && isNumber(a.type())
        && y.type() == DataType.BOOLEAN
        && y.rank() <= Operand.MOST_AXES
        && run(new Compare(a.operand(), b.operand(), comparison, y.operand()), a, b, y);
  }

  private static boolean isNumber(DataType type) {
    return switch (type) {
      case FLOAT32, FLOAT16, BFLOAT16, INT64, INT32, INT8, UINT8 -> true;
      default -> false;
    };
  }

  /** y = condition ? a : b; of equal shapes. */
  static boolean where(Strided condition, Strided a, Strided b, Strided y) {
    return (condition.type() == DataType.BOOLEAN || condition.type() == DataType.UINT8)
        && y.count() >= MANY
        && a.type() == y.type()
        && b.type() == y.type()
        && y.type() != DataType.COMPLEX64
        && y.rank() <= Operand.MOST_AXES
        && run(
            new Where(condition.operand(), a.operand(), b.operand(), y.operand()),
            condition,
            a,
            b,
            y);
  }

  /** y = op(x); of equal shapes. */
  static boolean unary(UnaryOp op, Strided x, Strided y) {
    Activation activation =
        switch (op) {
          case RELU -> Activation.RELU;
          case GELU -> Activation.GELU;
          case TANH -> Activation.TANH;
          case SIGMOID -> Activation.SIGMOID;
          default -> null;
        };
    if (activation == null) {
      return function(op, x, y);
    }
    if (y.count() < SOME || !fits(y, x) || !x.isContiguous() || !y.isContiguous()) {
      return false;
    }
    long rows = x.count() / COLUMNS;
    long rest = x.count() % COLUMNS;
    if (rest > 0) {
      Strided left = x.flat(rows * COLUMNS, 1, rest);
      run(new Activate(left.operand(), activation, y.flat(rows * COLUMNS, 1, rest).operand()), x);
    }
    return run(
        new Activate(
            x.flat(0, rows, COLUMNS).operand(), activation, y.flat(0, rows, COLUMNS).operand()),
        x,
        y);
  }

  private static boolean function(UnaryOp op, Strided x, Strided y) {
    dev.gatun.kernels.api.call.elementwise.UnaryOp own =
        switch (op) {
          case ABS -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ABS;
          case NEG -> dev.gatun.kernels.api.call.elementwise.UnaryOp.NEGATE;
          case SIGN -> dev.gatun.kernels.api.call.elementwise.UnaryOp.SIGN;
          case SQUARE -> dev.gatun.kernels.api.call.elementwise.UnaryOp.SQUARE;
          case FLOOR -> dev.gatun.kernels.api.call.elementwise.UnaryOp.FLOOR;
          case CEIL -> dev.gatun.kernels.api.call.elementwise.UnaryOp.CEIL;
          case ROUND -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ROUND;
          case TRUNC -> dev.gatun.kernels.api.call.elementwise.UnaryOp.TRUNC;
          case SQRT -> dev.gatun.kernels.api.call.elementwise.UnaryOp.SQRT;
          case CBRT -> dev.gatun.kernels.api.call.elementwise.UnaryOp.CBRT;
          case EXP -> dev.gatun.kernels.api.call.elementwise.UnaryOp.EXP;
          case LOG -> dev.gatun.kernels.api.call.elementwise.UnaryOp.LOG;
          case LOG10 -> dev.gatun.kernels.api.call.elementwise.UnaryOp.LOG10;
          case LOG2 -> dev.gatun.kernels.api.call.elementwise.UnaryOp.LOG2;
          case SIN -> dev.gatun.kernels.api.call.elementwise.UnaryOp.SIN;
          case COS -> dev.gatun.kernels.api.call.elementwise.UnaryOp.COS;
          case TAN -> dev.gatun.kernels.api.call.elementwise.UnaryOp.TAN;
          case ASIN -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ASIN;
          case ACOS -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ACOS;
          case ATAN -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ATAN;
          case SINH -> dev.gatun.kernels.api.call.elementwise.UnaryOp.SINH;
          case COSH -> dev.gatun.kernels.api.call.elementwise.UnaryOp.COSH;
          case ASINH -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ASINH;
          case ACOSH -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ACOSH;
          case ATANH -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ATANH;
          case ERF -> dev.gatun.kernels.api.call.elementwise.UnaryOp.ERF;
          default -> null;
        };
    // What takes an instruction is as fast in the loops while it is small.
    boolean many =
        switch (op) {
          case ABS, NEG, SIGN, SQUARE, FLOOR, CEIL, ROUND, TRUNC, SQRT -> y.count() >= MANY;
          default -> y.count() >= SOME;
        };
    return own != null
        && many
        && (fits(y, x) || own.takesWhole() && fitsWhole(y, x))
        && run(new Unary(x.operand(), own, y.operand()), x, y);
  }

  /** y of all elements of x along the axes on which y has a length of 1; of equal ranks. */
  static boolean reduce(ReduceOp op, Strided x, Strided y) {
    Reduction reduction =
        switch (op) {
          case SUM -> Reduction.SUM;
          case MAX -> Reduction.MAX;
          case MIN -> Reduction.MIN;
          case PROD -> null;
        };
    if (reduction == null || x.count() < MANY || !fits(x, y) || !y.isContiguous()) {
      return false;
    }
    // Axes that are reduced must stand together, as those before and behind them.
    int begin = 0;
    while (begin < x.rank() && y.size(begin) == x.size(begin)) {
      begin++;
    }
    int end = begin;
    while (end < x.rank() && y.size(end) == 1) {
      end++;
    }
    long outer = 1;
    long reduced = 1;
    long inner = 1;
    for (int axis = 0; axis < x.rank(); axis++) {
      if (axis < begin) {
        outer *= x.size(axis);
      } else if (axis < end) {
        reduced *= x.size(axis);
      } else if (x.size(axis) == y.size(axis)) {
        inner *= x.size(axis);
      } else {
        return false;
      }
    }
    Strided three = x.reshaped(outer, reduced, inner);
    return three != null
        && run(new Reduce(three.operand(), reduction, y.reshaped(outer, inner).operand()), x, y);
  }

  /** y of all elements of x up to each along an axis; of equal shapes. */
  static boolean scan(ReduceOp op, Strided x, int axis, Strided y) {
    ScanOp own =
        switch (op) {
          case SUM -> ScanOp.SUM;
          case PROD -> ScanOp.PRODUCT;
          case MAX, MIN -> null;
        };
    boolean whole = x.type() == DataType.INT64 && y.type() == DataType.INT64;
    if (own == null || x.count() < SOME || !(whole || fits(x, y)) || !y.isContiguous()) {
      return false;
    }
    long outer = 1;
    long inner = 1;
    for (int i = 0; i < x.rank(); i++) {
      outer *= i < axis ? x.size(i) : 1;
      inner *= i > axis ? x.size(i) : 1;
    }
    Strided three = x.reshaped(outer, x.size(axis), inner);
    return three != null
        && run(
            new Scan(three.operand(), own, y.reshaped(outer, x.size(axis), inner).operand()), x, y);
  }

  /**
   * The first elements of an axis in their order, as many as the results, which have no gaps, have
   * room for.
   *
   * @param places INT64, or null
   * @param values of x's type, or null
   */
  static boolean sort(Strided x, int axis, boolean descending, Strided places, Strided values) {
    Strided result = places == null ? values : places;
    long columns = x.size(axis);
    long k = result.size(axis);
    if (x.count() < SOME || k == 0 || columns > Integer.MAX_VALUE || !isNumber(x.type())) {
      return false;
    }
    List<Strided> made = new ArrayList<>();
    try {
      Strided turned = x.withLast(axis);
      Strided rows = turned.reshaped(x.count() / columns, columns);
      if (rows == null) {
        rows = made(made, x.type(), turned.shape()).reshaped(x.count() / columns, columns);
        HostKernels.INSTANCE.copy(turned, made.getLast());
      }
      // Results are rows too, and then turned back.
      Strided toValues = values == null ? null : rows(made, values, axis);
      Strided toPlaces = places == null ? null : rows(made, places, axis);
      run(order(rows, descending, k, toValues, toPlaces), x, places, values);
      if (values != null && toValues.store() != values.store()) {
        HostKernels.INSTANCE.copy(toValues, values.withLast(axis));
      }
      if (places != null && toPlaces.store() != places.store()) {
        HostKernels.INSTANCE.copy(toPlaces, places.withLast(axis));
      }
      return true;
    } finally {
      made.forEach(array -> array.store().release());
    }
  }

  private static Strided made(List<Strided> made, DataType type, long... shape) {
    made.add(Strided.allocate(type, shape));
    return made.getLast();
  }

  /** A result where its axis is the last one, else one like it whose axis is. */
  private static Strided rows(List<Strided> made, Strided result, int axis) {
    return axis == result.rank() - 1
        ? result
        : made(made, result.type(), result.withLast(axis).shape());
  }

  private static KernelCall order(
      Strided rows, boolean descending, long k, Strided values, Strided places) {
    long[] shape = {rows.size(0), k};
    Operand first = values == null ? null : values.reshaped(shape).operand();
    Operand second = places == null ? null : places.reshaped(shape).operand();
    // Few of many are found without sorting the others.
    boolean few = descending && k * FEW <= rows.size(1) && rows.stride(1) == 1 && fits(rows);
    return few && first != null && second != null
        ? new TopK(rows.operand(), first, second)
        : new Sort(rows.operand(), descending, first, second);
  }

  /** y, which is new, of random numbers of any count, as no loops draw them. */
  static void random(
      RandomDistribution distribution,
      float first,
      float second,
      long seed,
      long sequence,
      Strided y) {
    Operand numbers = y.flat(0, y.count()).operand();
    run(new RandomNumbers(distribution, first, second, seed, sequence, numbers), y);
  }

  /** The softmax along the last axis, or its logarithm. */
  static boolean softmax(Strided x, int axis, boolean log, Strided y) {
    if (axis != x.rank() - 1
        || x.count() < SOME
        || !fits(x, y)
        || !x.isContiguous()
        || !y.isContiguous()) {
      return false;
    }
    long columns = x.size(axis);
    long rows = x.count() / columns;
    return run(
        new Softmax(x.flat(0, rows, columns).operand(), log, y.flat(0, rows, columns).operand()),
        x,
        y);
  }

  /** The normalised rows of x [..., columns], contiguous; weight and bias [columns], or null. */
  static boolean layerNorm(
      Strided x, Strided weight, Strided bias, long columns, float eps, Strided y) {
    if (x.count() == 0
        || !fits(x, y)
        || !x.isContiguous()
        || weight != null && !(weight.type() == x.type() && weight.isContiguous())
        || bias != null && !(bias.type() == x.type() && bias.isContiguous())) {
      return false;
    }
    long rows = x.count() / columns;
    Operand of = weight == null ? null : weight.flat(0, columns).operand();
    Operand shift = bias == null ? null : bias.flat(0, columns).operand();
    return run(
        new LayerNorm(
            x.flat(0, rows, columns).operand(),
            null,
            of,
            shift,
            eps,
            y.flat(0, rows, columns).operand(),
            null,
            null),
        x,
        weight,
        bias,
        y);
  }

  /** A step of AdamW over FLOAT32 arrays without gaps, each in memory of its own. */
  static boolean adam(
      UpdateRule.Adam rule,
      double rate,
      double decay,
      float limit,
      Strided weight,
      Strided gradient,
      Strided mean,
      Strided square) {
    Strided[] all = {weight, gradient, mean, square};
    long count = weight.count();
    Set<Store> apart = new HashSet<>();
    for (Strided x : all) {
      if (x.type() != DataType.FLOAT32
          || !x.isContiguous()
          || x.count() != count
          || !apart.add(x.store())) {
        return false;
      }
    }
    if (limit == Float.POSITIVE_INFINITY || count == 0) {
      return adam(rule, rate, decay, gradient.flat(0, count), weight, 0, mean, square);
    }
    Strided limits = Strided.allocate(DataType.FLOAT32, 2);
    Strided limited = Strided.allocate(DataType.FLOAT32, Math.min(count, LIMITED));
    try {
      HostKernels.INSTANCE.fill(limits.flat(0, 1), -limit);
      HostKernels.INSTANCE.fill(limits.flat(1, 1), limit);
      for (long from = 0; from < count; from += LIMITED) {
        long n = Math.min(count - from, LIMITED);
        Strided part = limited.flat(0, n);
        limit(BinaryOp.MAXIMUM, gradient.flat(from, n), limits.flat(0, 1), part);
        limit(BinaryOp.MINIMUM, part, limits.flat(1, 1), part);
        adam(rule, rate, decay, part, weight, from, mean, square);
      }
      return true;
    } finally {
      limits.store().release();
      limited.store().release();
    }
  }

  private static void limit(BinaryOp op, Strided x, Strided number, Strided y) {
    run(
        new Elementwise(
            x.operand(),
            number.expanded("adam", y.count()).operand(),
            op == BinaryOp.MAXIMUM
                ? dev.gatun.kernels.api.call.elementwise.BinaryOp.MAXIMUM
                : dev.gatun.kernels.api.call.elementwise.BinaryOp.MINIMUM,
            y.operand()),
        x,
        number,
        y);
  }

  /** The step of the elements from one on that there is a gradient of. */
  private static boolean adam(
      UpdateRule.Adam rule,
      double rate,
      double decay,
      Strided gradient,
      Strided weight,
      long from,
      Strided mean,
      Strided square) {
    long n = gradient.count();
    ParameterUpdate update =
        new ParameterUpdate(
            weight.flat(from, n).operand(),
            gradient.operand(),
            List.of(mean.flat(from, n).operand(), square.flat(from, n).operand()),
            null,
            rate,
            decay);
    // So late a step that no correction is left.
    long late = Long.MAX_VALUE;
    return run(
        new OptimizerStep(rule, late, List.of(update), 1, null, Float.POSITIVE_INFINITY),
        gradient,
        weight,
        mean,
        square);
  }
}
