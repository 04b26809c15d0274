package dev.gatun.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Single operations of DJL's arrays of four million elements, FLOAT32 where the name says no other
 * type, on one of its engines.
 */
final class DjlArrays implements Subject {
  private static final String PREFIX = "array-";
  private static final int SIDE = 2048;

  /** Elements that are compared: all would be too many. */
  private static final int COMPARED = 4096;

  private static final List<String> OPERATIONS =
      List.of(
          "exp",
          "log",
          "sin",
          "tanh",
          "erf",
          "sqrt",
          "abs",
          "add",
          "add-int32",
          "mul-int64",
          "gt",
          "where",
          "transpose",
          "cumsum",
          "sort",
          "sum");

  static final List<String> CASES = OPERATIONS.stream().map(PREFIX::concat).toList();

  private final String engine;
  private final NDManager manager;
  private final NDArray x;
  private final NDArray other;
  private final NDArray mask;
  private final NDArray ints;
  private final NDArray longs;

  DjlArrays(String engine) {
    this.engine = engine;
    manager = NDManager.newBaseManager(null, engine);
    x = numbers(1);
    other = numbers(2);
    mask = x.gt(other);
    ints = x.toType(DataType.INT32, true);
    longs = x.toType(DataType.INT64, true);
  }

  /** Whether a case's name is one of these. */
  static boolean isName(String name) {
    return name.startsWith(PREFIX);
  }

  /** Numbers from 1/4 to 4, the same on each engine. */
  private NDArray numbers(long seed) {
    float[] numbers = new float[SIDE * SIDE];
    long state = seed;
    for (int i = 0; i < numbers.length; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      numbers[i] = (float) (0.25 + 3.75 * (state >>> 40) / (1 << 24));
    }
    return manager.create(numbers, new Shape(SIDE, SIDE));
  }

  private static UnaryOperator<NDArray> ofOne(String operation) {
    return Map.<String, UnaryOperator<NDArray>>of(
            "exp", NDArray::exp,
            "log", NDArray::log,
            "sin", NDArray::sin,
            "tanh", NDArray::tanh,
            "erf", NDArray::erf,
            "sqrt", NDArray::sqrt,
            "abs", NDArray::abs)
        .get(operation);
  }

  private NDArray compute(String operation) {
    UnaryOperator<NDArray> function = ofOne(operation);
    if (function != null) {
      return function.apply(x);
    }
    return switch (operation) {
      case "add" -> x.add(other);
      case "add-int32" -> ints.add(ints);
      case "mul-int64" -> longs.mul(longs);
      case "gt" -> x.gt(other);
      case "where" -> x.getNDArrayInternal().where(mask, other);
      case "cumsum" -> x.cumSum(1);
      case "sort" -> x.sort(1);
      case "sum" -> x.sum();
      case "transpose" -> {
        try (NDArray turned = x.transpose()) {
          // A duplicate may keep the strides of the view, and then nothing is transposed.
          yield turned.flatten();
        }
      }
      default -> throw new IllegalArgumentException(operation);
    };
  }

  @Override
  public Task task(String name) {
    String operation = name.substring(PREFIX.length());
    return new Task() {
      @Override
      public void run() {
        compute(operation).close();
      }

      @Override
      public float[] result() {
        try (NDArray y = compute(operation);
            NDArray flat = y.flatten();
            NDArray some = flat.get(":" + Math.min(COMPARED, y.size()));
            NDArray floats = some.toType(DataType.FLOAT32, true)) {
          return floats.toFloatArray();
        }
      }
    };
  }

  @Override
  public String version() {
    return "DJL's engine %s %s".formatted(engine, Engine.getEngine(engine).getVersion());
  }

  @Override
  public void close() {
    manager.close();
  }
}
