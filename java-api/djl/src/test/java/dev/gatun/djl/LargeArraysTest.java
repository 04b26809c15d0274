package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Arrays of so many elements that kernels and several threads compute them, held to Java's {@code
 * Math} in double.
 */
final class LargeArraysTest {
  private static final int ROWS = 130;
  private static final int COLUMNS = 1030;

  private static float number(int i) {
    return (float) (((i * 7919L) % 10007) / 2500.0 - 2);
  }

  private static NDArray numbers(NDManager manager, DataType type) {
    float[] numbers = new float[ROWS * COLUMNS];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number(i);
    }
    return manager.create(numbers, new Shape(ROWS, COLUMNS)).toType(type, false);
  }

  private static double[] doubles(NDArray array) {
    return array.toType(DataType.FLOAT64, true).toDoubleArray();
  }

  @Test
  void a_step_of_adam_limits_each_element() {
    int count = (1 << 19) + 77;
    float[] x = new float[count];
    float[] g = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = number(i);
      g[i] = number(i + 13);
    }
    try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
      NDArray weight = m.create(x);
      NDArray gradient = m.create(g);
      NDArray mean = m.zeros(new Shape(count));
      NDArray square = m.ones(new Shape(count));
      weight
          .getNDArrayInternal()
          .adamUpdate(
              new NDList(weight, gradient, mean, square),
              new NDList(weight),
              0.1f,
              0.1f,
              0,
              1,
              0.5f,
              0.5f,
              0.75f,
              1e-6f,
              true,
              true);
      assertArrayEquals(g, gradient.toFloatArray());
      float[] after = weight.toFloatArray();
      float[] means = mean.toFloatArray();
      for (int i = 0; i < count; i++) {
        double limited = Math.clamp(g[i], -0.5, 0.5);
        double first = 0.5 * limited;
        double second = 0.75 + 0.25 * limited * limited;
        assertEquals(first, means[i], 1e-6, "mean " + i);
        assertEquals(x[i] - 0.1 * first / Math.sqrt(second), after[i], 2e-6, "weight " + i);
      }
    }
  }

  private static double allowed(DataType type) {
    return switch (type) {
      case FLOAT64 -> 1e-12;
      case FLOAT32 -> 1e-6;
      case FLOAT16 -> 1e-3;
      default -> 8e-3;
    };
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT64", "FLOAT32", "FLOAT16", "BFLOAT16"})
  void elements(DataType type) throws Exception {
    Map<UnaryOperator<NDArray>, DoubleUnaryOperator> unary = new LinkedHashMap<>();
    unary.put(NDArray::abs, Math::abs);
    unary.put(NDArray::neg, x -> -x);
    unary.put(NDArray::square, x -> x * x);
    unary.put(x -> x.abs().sqrt(), x -> Math.sqrt(Math.abs(x)));
    unary.put(NDArray::exp, Math::exp);
    unary.put(x -> x.add(3).log(), x -> Math.log(x + 3));
    unary.put(NDArray::sin, Math::sin);
    unary.put(NDArray::cos, Math::cos);
    unary.put(NDArray::atan, Math::atan);
    unary.put(NDArray::tan, Math::tan);
    unary.put(NDArray::sinh, Math::sinh);
    unary.put(NDArray::cosh, Math::cosh);
    unary.put(NDArray::asinh, x -> Math.log(x + Math.sqrt(x * x + 1)));
    unary.put(NDArray::cbrt, Math::cbrt);
    unary.put(NDArray::sign, Math::signum);
    unary.put(NDArray::floor, Math::floor);
    unary.put(NDArray::ceil, Math::ceil);
    unary.put(NDArray::round, Math::rint);
    unary.put(NDArray::trunc, x -> x < 0 ? Math.ceil(x) : Math.floor(x));
    unary.put(x -> x.transpose().exp(), Math::exp);
    unary.put(NDArray::tanh, Math::tanh);
    unary.put(x -> x.getNDArrayInternal().relu(), x -> Math.max(x, 0));
    unary.put(x -> x.getNDArrayInternal().sigmoid(), x -> 1 / (1 + Math.exp(-x)));
    if (type == DataType.FLOAT64 || type == DataType.FLOAT32) {
      // Narrower sums and quotients are rounded first.
      unary.put(x -> x.div(4).asin(), x -> Math.asin(x / 4));
      unary.put(x -> x.div(4).acos(), x -> Math.acos(x / 4));
      unary.put(x -> x.div(4).atanh(), x -> 0.5 * Math.log((1 + x / 4) / (1 - x / 4)));
      unary.put(x -> x.add(4).acosh(), x -> Math.log(x + 4 + Math.sqrt((x + 4) * (x + 4) - 1)));
      unary.put(x -> x.add(3).log2(), x -> Math.log(x + 3) / Math.log(2));
      unary.put(x -> x.add(3).log10(), x -> Math.log10(x + 3));
    }
    unary.put(NDArray::transpose, x -> x);
    for (Map.Entry<UnaryOperator<NDArray>, DoubleUnaryOperator> entry : unary.entrySet()) {
      Models.givingBack(
          () -> {
            try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
              NDArray x = numbers(m, type);
              double[] before = doubles(x);
              NDArray y = entry.getKey().apply(x);
              boolean turned = y.getShape().get(0) != ROWS;
              double[] got = doubles(turned ? y.transpose() : y);
              for (int i = 0; i < got.length; i++) {
                double want = entry.getValue().applyAsDouble(before[i]);
                assertEquals(want, got[i], allowed(type) * Math.max(1, Math.abs(want)));
              }
            }
          });
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT64", "FLOAT32", "BFLOAT16", "INT64", "INT32"})
  void two_arrays(DataType type) throws Exception {
    Map<java.util.function.BinaryOperator<NDArray>, DoubleBinaryOperator> binary =
        new LinkedHashMap<>();
    binary.put(NDArray::add, Double::sum);
    binary.put(NDArray::sub, (a, b) -> a - b);
    binary.put(NDArray::mul, (a, b) -> a * b);
    binary.put(NDArray::maximum, Math::max);
    binary.put(NDArray::minimum, Math::min);
    binary.put(NDArray::gt, (a, b) -> a > b ? 1 : 0);
    binary.put(NDArray::eq, (a, b) -> a == b ? 1 : 0);
    binary.put(NDArray::lte, (a, b) -> a <= b ? 1 : 0);
    binary.put((a, b) -> a.duplicate().addi(b), Double::sum);
    binary.put((a, b) -> a.addi(a.mul(1)), (a, b) -> a + a);
    binary.put((a, b) -> a.getNDArrayInternal().where(a.gt(0), b), (a, b) -> a > 0 ? a : b);
    if (type.isFloating()) {
      binary.put(NDArray::div, (a, b) -> a / b);
    }
    for (Shape shape :
        List.of(new Shape(ROWS, COLUMNS), new Shape(COLUMNS), new Shape(ROWS, 1), new Shape())) {
      for (var entry : binary.entrySet()) {
        Models.givingBack(
            () -> {
              try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
                NDArray a = numbers(m, type);
                NDArray b = numbers(m, type).mul(3).flip(0).flatten().get(":" + shape.size());
                b = b.toType(type, false).reshape(shape);
                double[] left = doubles(a);
                double[] right = doubles(b.broadcast(a.getShape()));
                NDArray y = entry.getKey().apply(a, b).broadcast(a.getShape());
                double[] got = doubles(y);
                for (int i = 0; i < got.length; i++) {
                  double want = entry.getValue().applyAsDouble(left[i], right[i]);
                  boolean same = Double.compare(want + 0.0, got[i] + 0.0) == 0;
                  assertTrue(
                      same
                          || Math.abs(want - got[i]) <= allowed(type) * Math.max(1, Math.abs(want)),
                      () -> "%s of %s: %s".formatted(want, shape, type));
                }
              }
            });
      }
    }
  }

  private static long wrapped(DataType type, long number) {
    return switch (type) {
      case INT32 -> (int) number;
      case INT16 -> (short) number;
      case INT8 -> (byte) number;
      case UINT8 -> number & 0xff;
      default -> number;
    };
  }

  /** Of all sizes, and the ends of each type. */
  private static NDArray wholeNumbers(NDManager manager, DataType type, long seed) {
    java.util.Random random = new java.util.Random(seed);
    long[] ends = {Long.MIN_VALUE, Integer.MIN_VALUE, -128, -1, 0, 1, 127, Long.MAX_VALUE};
    long[] numbers = new long[ROWS * COLUMNS];
    for (int i = 0; i < numbers.length; i++) {
      boolean end = random.nextInt(8) == 0;
      numbers[i] = end ? ends[random.nextInt(8)] : random.nextLong() >> random.nextInt(64);
    }
    return manager.create(numbers, new Shape(ROWS, COLUMNS)).toType(type, false);
  }

  /** Java's own arithmetic, cut to the type. */
  @ParameterizedTest
  @EnumSource(names = {"INT64", "INT32", "INT16", "INT8", "UINT8"})
  void whole_numbers(DataType type) throws Exception {
    Map<java.util.function.BinaryOperator<NDArray>, LongBinaryOperator> ops = new LinkedHashMap<>();
    ops.put(NDArray::add, Long::sum);
    ops.put(NDArray::sub, (a, b) -> a - b);
    ops.put(NDArray::mul, (a, b) -> a * b);
    ops.put(NDArray::maximum, Math::max);
    ops.put(NDArray::minimum, Math::min);
    ops.put((a, b) -> a.mod(b.maximum(1)), (a, b) -> Math.floorMod(a, Math.max(b, 1)));
    ops.put((a, b) -> a.mod(7), (a, b) -> Math.floorMod(a, 7));
    ops.put((a, b) -> a.add(5).mul(3L), (a, b) -> (a + 5) * 3);
    ops.put(
        (a, b) -> a.sub(1000).maximum(-200),
        (a, b) -> Math.max(wrapped(type, a - 1000), wrapped(type, -200)));
    ops.put((a, b) -> a.gt(3), (a, b) -> a > 3 ? 1 : 0);
    // A number counts by its kind alone: it becomes one of the type first.
    ops.put((a, b) -> a.gt(300), (a, b) -> a > wrapped(type, 300) ? 1 : 0);
    ops.put((a, b) -> a.neg(), (a, b) -> -a);
    ops.put((a, b) -> a.abs(), (a, b) -> Math.abs(a));
    ops.put((a, b) -> a.sign(), (a, b) -> Long.signum(a));
    ops.put((a, b) -> a.square(), (a, b) -> a * a);
    ops.put((a, b) -> a.duplicate().subi(b).muli(b), (a, b) -> (a - b) * b);
    ops.put((a, b) -> a.transpose().add(b.transpose()).transpose(), Long::sum);
    if (type != DataType.UINT8) {
      ops.put((a, b) -> a.mod(-7), (a, b) -> Math.floorMod(a, -7));
      ops.put((a, b) -> a.mod(-1), (a, b) -> 0);
    }
    for (var entry : ops.entrySet()) {
      Models.givingBack(
          () -> {
            try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
              NDArray a = wholeNumbers(m, type, 1);
              NDArray b = wholeNumbers(m, type, 2);
              long[] left = a.toType(DataType.INT64, true).toLongArray();
              long[] right = b.toType(DataType.INT64, true).toLongArray();
              NDArray y = entry.getKey().apply(a, b);
              long[] got = y.toType(DataType.INT64, true).toLongArray();
              for (int i = 0; i < got.length; i++) {
                long want = wrapped(type, entry.getValue().applyAsLong(left[i], right[i]));
                assertEquals(want, got[i], left[i] + " and " + right[i]);
              }
            }
          });
    }
  }

  /** The quotient of the two nearest FLOAT32, as PyTorch divides. */
  @ParameterizedTest
  @EnumSource(names = {"INT64", "INT32", "INT16", "INT8", "UINT8"})
  void quotients_of_whole_numbers(DataType type) throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
            NDArray a = wholeNumbers(m, type, 1);
            NDArray b = wholeNumbers(m, type, 2);
            NDArray row = b.get("1");
            quotients(a, b, a.div(b));
            quotients(a, m.create(7).broadcast(a.getShape()), a.div(7));
            quotients(m.create(3).broadcast(a.getShape()), a, m.create(3).div(a));
            quotients(a, row.broadcast(a.getShape()), a.div(row));
            quotients(a.transpose(), b.transpose(), a.transpose().div(b.transpose()));
          }
        });
  }

  private static void quotients(NDArray a, NDArray b, NDArray y) {
    assertEquals(DataType.FLOAT32, y.getDataType());
    long[] left = a.toType(DataType.INT64, true).toLongArray();
    long[] right = b.toType(DataType.INT64, true).toLongArray();
    float[] got = y.toFloatArray();
    for (int i = 0; i < got.length; i++) {
      assertEquals((float) left[i] / (float) right[i], got[i], left[i] + " by " + right[i]);
    }
  }

  @Test
  void nothing_is_left_of_a_whole_number_by_0() throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
            NDArray x = wholeNumbers(m, DataType.INT32, 1);
            EngineException e = assertThrows(EngineException.class, () -> x.mod(0));
            assertEquals("mod: a whole number by 0", e.getMessage());
            long[] before = x.toType(DataType.INT64, true).toLongArray();
            NDArray other = wholeNumbers(m, DataType.INT32, 2);
            assertThrows(EngineException.class, () -> x.modi(other));
            assertArrayEquals(before, x.toType(DataType.INT64, true).toLongArray());
          }
        });
  }

  @Test
  void reductions() throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
            NDArray x = numbers(m, DataType.FLOAT32);
            double[] all = doubles(x);
            double[] ofRows = new double[ROWS];
            double[] ofColumns = new double[COLUMNS];
            double most = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < all.length; i++) {
              ofRows[i / COLUMNS] += all[i];
              ofColumns[i % COLUMNS] += all[i];
              most = Math.max(most, all[i]);
            }
            near(ofRows, x.sum(new int[] {1}));
            near(ofColumns, x.sum(new int[] {0}));
            near(new double[] {java.util.Arrays.stream(all).sum()}, x.sum());
            near(ofColumns, x.reshape(10, 13, COLUMNS).sum(new int[] {0, 1}));
            near(ofRows, x.reshape(ROWS, 10, 103).sum(new int[] {1, 2}));
            near(ofRows, x.transpose().sum(new int[] {0}));
            near(new double[] {most}, x.max());
            NDArray soft = x.softmax(1);
            near(
                java.util.stream.DoubleStream.generate(() -> 1).limit(ROWS).toArray(),
                soft.sum(new int[] {1}));
            near(doubles(soft.log()), x.logSoftmax(1));
          }
        });
  }

  /** Numbers with many equal ones, NaN, zeros of both signs and infinities among the floats. */
  private static NDArray unordered(NDManager manager, DataType type, long... shape) {
    java.util.Random random = new java.util.Random(3);
    float[] edges = {Float.NaN, -0f, 0f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    float[] numbers = new float[(int) new Shape(shape).size()];
    for (int i = 0; i < numbers.length; i++) {
      boolean edge = type.isFloating() && random.nextInt(50) == 0;
      numbers[i] =
          edge
              ? edges[random.nextInt(edges.length)]
              : random.nextInt(-60, 60) / (type.isFloating() ? 8f : 1f)
                  + (type == DataType.UINT8 ? 60 : 0);
    }
    return manager.create(numbers, new Shape(shape)).toType(type, false);
  }

  /** Beside the JDK's stable sort of places: NaN is the largest, 0 and -0 are equal. */
  @ParameterizedTest
  @EnumSource(
      names = {
        "FLOAT64",
        "FLOAT32",
        "FLOAT16",
        "BFLOAT16",
        "INT64",
        "INT32",
        "INT16",
        "INT8",
        "UINT8"
      })
  void orders(DataType type) throws Exception {
    for (long[] shape : new long[][] {{5000}, {3, 2000}, {70, 9, 11}, {2, 700, 5}}) {
      for (int axis = 0; axis < shape.length; axis++) {
        int along = axis;
        Models.givingBack(() -> order(type, along, false, shape));
        Models.givingBack(() -> order(type, along, true, shape));
      }
    }
  }

  private static void order(DataType type, int axis, boolean transposed, long... shape) {
    try (NDManager m = Engine.getEngine("Gatun").newBaseManager()) {
      NDArray x = unordered(m, type, shape);
      x = transposed ? x.transpose() : x;
      int length = (int) x.getShape().get(axis);
      double[][] lanes = lanes(x, axis);
      double[][] rising = lanes(x.argSort(axis, true), axis);
      double[][] falling = lanes(x.argSort(axis, false), axis);
      double[][] sorted = lanes(x.sort(axis), axis);
      int k = Math.max(1, length / 70);
      var top = x.topK(k, axis, true, true);
      double[][] values = lanes(top.get(0), axis);
      double[][] places = lanes(top.get(1), axis);
      double[][] least = lanes(x.topK(k, axis, false, true).get(1), axis);
      for (int i = 0; i < lanes.length; i++) {
        double[] lane = lanes[i];
        java.util.Comparator<Integer> by = (a, b) -> Double.compare(lane[a] + 0.0, lane[b] + 0.0);
        double[] up = placesBy(length, by);
        double[] down = placesBy(length, by.reversed());
        assertArrayEquals(up, rising[i]);
        for (int j = 0; j < length; j++) {
          // DJL's order downwards is that upwards from its end.
          assertEquals(up[length - 1 - j], falling[i][j]);
        }
        assertArrayEquals(java.util.Arrays.copyOf(down, k), places[i]);
        assertArrayEquals(java.util.Arrays.copyOf(up, k), least[i]);
        for (int j = 0; j < length; j++) {
          assertEquals(lane[(int) up[j]], sorted[i][j]);
        }
        for (int j = 0; j < k; j++) {
          assertEquals(lane[(int) down[j]], values[i][j]);
        }
      }
    }
  }

  private static double[] placesBy(int length, java.util.Comparator<Integer> by) {
    return java.util.stream.IntStream.range(0, length)
        .boxed()
        .sorted(by)
        .mapToDouble(Integer::intValue)
        .toArray();
  }

  /** The numbers along an axis, for each place of the others. */
  private static double[][] lanes(NDArray x, int axis) {
    double[] all = doubles(x.swapAxes(axis, x.getShape().dimension() - 1));
    int length = (int) x.getShape().get(axis);
    double[][] lanes = new double[all.length / length][];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = java.util.Arrays.copyOfRange(all, i * length, (i + 1) * length);
    }
    return lanes;
  }

  private static void near(double[] want, NDArray got) {
    double[] numbers = doubles(got);
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < want.length; i++) {
      if (!(Math.abs(want[i] - numbers[i]) <= 2e-6 * Math.max(100, Math.abs(want[i])))) {
        wrong.add("%d: %s, expected %s".formatted(i, numbers[i], want[i]));
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(want.length, numbers.length);
  }

  /** The words that Philox's authors publish with Random123, of a key and a counter of 0. */
  @Test
  void random_numbers_of_a_seed_are_those_of_philox() throws Exception {
    int[] words = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    Models.givingBack(
        () -> {
          Engine engine = Engine.getEngine("Gatun");
          try (NDManager m = engine.newBaseManager()) {
            engine.setRandomSeed(0);
            float[] uniform = m.randomUniform(-2, 3, new Shape(ROWS, COLUMNS)).toFloatArray();
            for (int i = 0; i < words.length; i++) {
              assertEquals((float) (-2 + 5 * ((words[i] >>> 8) * 0x1p-24)), uniform[i]);
            }
            engine.setRandomSeed(0);
            float[] normal = m.randomNormal(new Shape(ROWS, COLUMNS)).toFloatArray();
            double v = ((long) (words[0] >>> 6) << 27 | words[1] >>> 5) * 0x1p-53;
            double t = ((long) (words[2] >>> 6) << 27 | words[3] >>> 5) * 0x1p-53;
            double radius = Math.sqrt(-2 * Math.log(1 - v));
            assertEquals((float) (radius * Math.cos(2 * Math.PI * t)), normal[0]);
            assertEquals((float) (radius * Math.sin(2 * Math.PI * t)), normal[1]);
          }
        });
  }

  /** Random arrays are drawn in order, whatever their size. */
  @Test
  void random_numbers_come_in_their_order() throws Exception {
    Models.givingBack(
        () -> {
          Engine engine = Engine.getEngine("Gatun");
          try (NDManager m = engine.newBaseManager()) {
            engine.setRandomSeed(5);
            float[] few = m.randomUniform(0, 1, new Shape(10)).toFloatArray();
            engine.setRandomSeed(5);
            float[] many = m.randomUniform(0, 1, new Shape(ROWS, COLUMNS)).toFloatArray();
            for (int i = 0; i < few.length; i++) {
              assertEquals(few[i], many[i]);
            }
          }
        });
  }
}
