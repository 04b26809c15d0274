package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/** Programs for each method of an array, over types and shapes of arrays. */
final class Programs {
  private static final List<DataType> TYPES =
      List.of(
          DataType.FLOAT32,
          DataType.FLOAT64,
          DataType.FLOAT16,
          DataType.INT32,
          DataType.INT64,
          DataType.INT8,
          DataType.UINT8,
          DataType.BOOLEAN);

  private static final List<Program> ALL = new ArrayList<>();

  private Programs() {}

  static Stream<Program> all() {
    return ALL.stream();
  }

  private static void add(String name, Function<NDManager, Object> run) {
    ALL.add(new Program(name, run));
  }

  /** Numbers that look random, the same each time, of a type. */
  static NDArray numbers(NDManager manager, DataType type, long... shape) {
    Shape full = new Shape(shape);
    double[] numbers = new double[(int) full.size()];
    long state = 7 + full.size();
    for (int i = 0; i < numbers.length; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      numbers[i] = ((state >>> 40) % 2000) / 250.0 - 4;
    }
    if (type == DataType.UINT8) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = Math.abs(numbers[i]);
      }
    }
    if (type == DataType.BOOLEAN) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = numbers[i] < 0 ? 0 : 1;
      }
    }
    return manager.create(numbers, full).toType(type, false);
  }

  static NDArray floats(NDManager manager, long... shape) {
    return numbers(manager, DataType.FLOAT32, shape);
  }

  static {
    elementwise();
    reductions();
    shapes();
    orders();
    indices();
    products();
    NetworkPrograms.addTo(ALL);
    EdgePrograms.addTo(ALL);
    creation();
    texts();
  }

  private static void elementwise() {
    Map<String, Function<NDArray, NDArray>> unary = new LinkedHashMap<>();
    unary.put("sign", NDArray::sign);
    unary.put("signi", NDArray::signi);
    unary.put("neg", NDArray::neg);
    unary.put("negi", NDArray::negi);
    unary.put("abs", NDArray::abs);
    unary.put("square", NDArray::square);
    unary.put("sqrt", x -> x.abs().sqrt());
    unary.put("floor", NDArray::floor);
    unary.put("ceil", NDArray::ceil);
    unary.put("round", NDArray::round);
    unary.put("trunc", NDArray::trunc);
    unary.put("exp", NDArray::exp);
    unary.put("gammaln", NDArray::gammaln);
    unary.put("log", NDArray::log);
    unary.put("log10", NDArray::log10);
    unary.put("log2", NDArray::log2);
    unary.put("sin", NDArray::sin);
    unary.put("cos", NDArray::cos);
    unary.put("tan", NDArray::tan);
    unary.put("asin", NDArray::asin);
    unary.put("acos", NDArray::acos);
    unary.put("atan", NDArray::atan);
    unary.put("sinh", NDArray::sinh);
    unary.put("cosh", NDArray::cosh);
    unary.put("tanh", NDArray::tanh);
    unary.put("cbrt", x -> x.abs().cbrt());
    unary.put("erf", NDArray::erf);
    unary.put("erfinv", x -> x.div(5).erfinv());
    unary.put("isNaN", x -> x.sqrt().isNaN());
    unary.put("isInfinite", x -> x.div(0).isInfinite());
    unary.put("logicalNot", NDArray::logicalNot);
    unary.put("toDegrees", NDArray::toDegrees);
    unary.put("toRadians", NDArray::toRadians);
    unary.put("clip numbers", x -> x.clip(1, 2));
    unary.put("clip floats", x -> x.clip(-1.5f, 2.5f));
    unary.put("all", NDArray::all);
    unary.put("any", NDArray::any);
    unary.put("none", NDArray::none);
    unary.put("countNonzero", NDArray::countNonzero);
    unary.put("zerosLike", NDArray::zerosLike);
    unary.put("onesLike", NDArray::onesLike);
    unary.put("relu", x -> x.getNDArrayInternal().relu());
    unary.put("sigmoid", x -> x.getNDArrayInternal().sigmoid());
    unary.put("softPlus", x -> x.getNDArrayInternal().softPlus());
    unary.put("rsub", x -> x.getNDArrayInternal().rsub(3));
    unary.put("rdiv", x -> x.getNDArrayInternal().rdiv(x));
    unary.put("rmod", x -> x.abs().add(1).getNDArrayInternal().rmod(7));
    for (DataType type : TYPES) {
      unary.forEach(
          (name, function) -> add(name + " " + type, m -> function.apply(numbers(m, type, 3, 5))));
      add("neg of a view " + type, m -> numbers(m, type, 4, 6).transpose().get("1:4, ::2").abs());
    }
    Map<String, Function<NDArray, NDArray>> floating = new LinkedHashMap<>();
    floating.put("tanh inner", x -> x.getNDArrayInternal().tanh());
    floating.put("softSign", x -> x.getNDArrayInternal().softSign());
    floating.put("leakyRelu", x -> x.getNDArrayInternal().leakyRelu(0.1f));
    floating.put("elu", x -> x.getNDArrayInternal().elu(0.7f));
    floating.put("selu", x -> x.getNDArrayInternal().selu());
    floating.put("gelu", x -> x.getNDArrayInternal().gelu());
    floating.put("swish", x -> x.getNDArrayInternal().swish(1.5f));
    floating.put("mish", x -> x.getNDArrayInternal().mish());
    floating.put("rpow", x -> x.getNDArrayInternal().rpow(2.5f));
    for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
      floating.forEach(
          (name, function) -> add(name + " " + type, m -> function.apply(numbers(m, type, 3, 5))));
    }
    Map<String, BiFunction<NDArray, NDArray, NDArray>> binary = new LinkedHashMap<>();
    binary.put("add", NDArray::add);
    binary.put("sub", NDArray::sub);
    binary.put("mul", NDArray::mul);
    binary.put("div", NDArray::div);
    binary.put("mod", NDArray::mod);
    binary.put("maximum", NDArray::maximum);
    binary.put("minimum", NDArray::minimum);
    binary.put("eq", NDArray::eq);
    binary.put("neq", NDArray::neq);
    binary.put("gt", NDArray::gt);
    binary.put("gte", NDArray::gte);
    binary.put("lt", NDArray::lt);
    binary.put("lte", NDArray::lte);
    binary.put("logicalAnd", NDArray::logicalAnd);
    binary.put("logicalOr", NDArray::logicalOr);
    binary.put("logicalXor", NDArray::logicalXor);
    binary.put("atan2", NDArray::atan2);
    binary.put("xlogy", NDArray::xlogy);
    binary.put("addi", NDArray::addi);
    binary.put("subi", NDArray::subi);
    binary.put("muli", NDArray::muli);
    binary.put("divi", NDArray::divi);
    binary.put("pow", (a, b) -> a.pow(b.abs()));
    binary.put("powi", (a, b) -> a.powi(b.abs()));
    for (DataType type : TYPES) {
      for (DataType other : TYPES) {
        binary.forEach(
            (name, function) ->
                add(
                    name + " " + type + " " + other,
                    m -> function.apply(numbers(m, type, 2, 3, 4), numbers(m, other, 3, 1))));
      }
    }
    List<Number> numbers = List.of(3, 2L, 1.5f, 2.25, (byte) 2);
    Map<String, BiFunction<NDArray, Number, NDArray>> scalar = new LinkedHashMap<>();
    scalar.put("add", NDArray::add);
    scalar.put("sub", NDArray::sub);
    scalar.put("mul", NDArray::mul);
    scalar.put("div", NDArray::div);
    scalar.put("mod", NDArray::mod);
    scalar.put("pow", NDArray::pow);
    scalar.put("maximum", NDArray::maximum);
    scalar.put("minimum", NDArray::minimum);
    scalar.put("eq", NDArray::eq);
    scalar.put("neq", NDArray::neq);
    scalar.put("gt", NDArray::gt);
    scalar.put("gte", NDArray::gte);
    scalar.put("lt", NDArray::lt);
    scalar.put("lte", NDArray::lte);
    scalar.put("addi", NDArray::addi);
    scalar.put("subi", NDArray::subi);
    scalar.put("muli", NDArray::muli);
    scalar.put("divi", NDArray::divi);
    scalar.put("modi", NDArray::modi);
    scalar.put("powi", NDArray::powi);
    for (DataType type : TYPES) {
      for (Number number : numbers) {
        scalar.forEach(
            (name, function) ->
                add(
                    name + " " + type + " " + number + number.getClass().getSimpleName(),
                    m -> function.apply(numbers(m, type, 5), number)));
      }
      for (DataType target : TYPES) {
        add(
            "toType " + type + " " + target,
            m -> numbers(m, type, 3, 4).transpose().toType(target, true));
      }
      add(
          "where " + type,
          m ->
              NDArrays.where(
                  floats(m, 3, 4).gt(0), numbers(m, type, 3, 4), numbers(m, type, 3, 4).mul(2)));
    }
    add(
        "in place by a view",
        m -> {
          NDArray x = floats(m, 4, 6);
          x.get("1:3, 2").addi(100);
          return x;
        });
    add("add of shapes that do not fit", m -> floats(m, 3).add(floats(m, 4)));
  }

  private static void reductions() {
    for (DataType type : TYPES) {
      for (int[] axes : new int[][] {{0}, {1}, {2}, {-1}}) {
        for (boolean keep : new boolean[] {false, true}) {
          String on = " " + type + Arrays.toString(axes) + keep;
          add("sum" + on, m -> numbers(m, type, 2, 3, 4).sum(axes, keep));
          add("max" + on, m -> numbers(m, type, 2, 3, 4).max(axes, keep));
          add("min" + on, m -> numbers(m, type, 2, 3, 4).min(axes, keep));
          add("prod" + on, m -> numbers(m, type, 2, 3, 4).prod(axes, keep));
          if (type.isFloating()) {
            add("mean" + on, m -> numbers(m, type, 2, 3, 4).mean(axes, keep));
            add("norm" + on, m -> numbers(m, type, 2, 3, 4).norm(2, axes, keep));
            add("norm 1" + on, m -> numbers(m, type, 2, 3, 4).norm(1, axes, keep));
          }
        }
      }
      add("sum of two axes " + type, m -> numbers(m, type, 2, 3, 4).sum(new int[] {0, 2}, false));
      add("sum of a view " + type, m -> numbers(m, type, 4, 6).transpose().get("::2").sum());
      add("sum " + type, m -> numbers(m, type, 2, 3).sum());
      add("max " + type, m -> numbers(m, type, 2, 3).max());
      add("min " + type, m -> numbers(m, type, 2, 3).min());
      add("prod " + type, m -> numbers(m, type, 2, 3).prod());
      add("cumSum " + type, m -> numbers(m, type, 2, 3).cumSum());
      add("cumSum 1 " + type, m -> numbers(m, type, 2, 3).cumSum(1));
      add("cumProd " + type, m -> numbers(m, type, 2, 3).cumProd(0));
      add("cumProd to " + type, m -> numbers(m, type, 2, 3).cumProd(1, DataType.FLOAT64));
      add("sum of nothing " + type, m -> m.create(new Shape(0, 3), type).sum(new int[] {0}));
    }
    add("mean", m -> floats(m, 3, 4).mean());
    add("norm", m -> floats(m, 3, 4).norm());
    add("normalize", m -> floats(m, 3, 4).normalize());
    add("normalize 1 0", m -> floats(m, 3, 4).normalize(1, 0));
    add("normalize 3", m -> floats(m, 3, 4).normalize(3, 1, 1e-3));
    add("max of nothing", m -> m.create(new Shape(0, 3)).max());
    add("max of NaN", m -> m.create(new float[] {1, Float.NaN, 2}).max());
    add("argMax of NaN", m -> m.create(new float[] {1, Float.NaN, 2, Float.NaN}).argMax());
    add("countNonzero axis", m -> numbers(m, DataType.INT32, 3, 4).countNonzero(1));
  }

  private static void shapes() {
    add("reshape", m -> floats(m, 2, 3, 4).reshape(6, -1));
    add("reshape of a view", m -> floats(m, 2, 3, 4).transpose(1, 0, 2).reshape(3, 8));
    add(
        "reshape shares",
        m -> {
          NDArray x = floats(m, 2, 6);
          x.reshape(3, 4).addi(1);
          x.transpose().reshape(12).addi(50);
          x.get(":, 1:5").reshape(2, 2, 2).addi(7);
          return x;
        });
    add("reshape that does not fit", m -> floats(m, 2, 3).reshape(4, 2));
    add("reshape to nothing", m -> m.create(new Shape(0, 3)).reshape(-1, 3));
    add("flatten", m -> floats(m, 2, 3, 4).flatten());
    add("flatten axes", m -> floats(m, 2, 3, 4).flatten(1, 2));
    add("flatten backwards", m -> floats(m, 2, 3, 4).flatten(0, -2));
    for (int axis = -3; axis <= 2; axis++) {
      int at = axis;
      add("expandDims " + at, m -> floats(m, 2, 3).expandDims(at));
    }
    add("squeeze", m -> floats(m, 1, 3, 1).squeeze());
    add("squeeze axis", m -> floats(m, 1, 3, 1).squeeze(2));
    add("squeeze axes", m -> floats(m, 1, 3, 1).squeeze(new int[] {0, 2}));
    add("squeeze refused", m -> floats(m, 1, 3, 1).squeeze(new int[] {1}));
    add("transpose", m -> floats(m, 2, 3, 4).transpose());
    add("transpose axes", m -> floats(m, 2, 3, 4).transpose(1, 2, 0));
    add(
        "transpose shares",
        m -> {
          NDArray x = floats(m, 2, 3);
          x.transpose().get(1).addi(5);
          return x;
        });
    add("transpose refused", m -> floats(m, 2, 3).transpose(0, 0));
    add("swapAxes", m -> floats(m, 2, 3, 4).swapAxes(0, 2));
    add("broadcast", m -> floats(m, 3, 1).broadcast(2, 3, 4));
    add("broadcast refused", m -> floats(m, 3, 2).broadcast(3, 4));
    add("split sections", m -> floats(m, 6, 4).split(3));
    add("split uneven", m -> floats(m, 7, 4).split(3));
    add("split axis", m -> floats(m, 6, 4).split(2, 1));
    add("split indices", m -> floats(m, 6, 4).split(new long[] {1, 4}));
    add("split indices axis", m -> floats(m, 6, 4).split(new long[] {3}, 1));
    add("flip", m -> floats(m, 3, 4).flip(0));
    add("flip axes", m -> floats(m, 3, 4, 2).flip(0, -1));
    for (int times = -1; times <= 4; times++) {
      int turns = times;
      add("rotate90 " + turns, m -> floats(m, 3, 4).rotate90(turns, new int[] {0, 1}));
    }
    add("tile", m -> floats(m, 2, 3).tile(2));
    add("tile axes", m -> floats(m, 2, 3).tile(new long[] {2, 3}));
    add("tile more axes", m -> floats(m, 2, 3).tile(new long[] {2, 1, 3}));
    add("repeat", m -> floats(m, 2, 3).repeat(2));
    add("repeat axis", m -> floats(m, 2, 3).repeat(1, 3));
    add("repeat axes", m -> floats(m, 2, 3).repeat(new long[] {2, 3}));
    add("repeat fewer axes", m -> floats(m, 2, 3).repeat(new long[] {2}));
    add("repeat to a shape", m -> floats(m, 2, 3).repeat(new Shape(4, 6)));
    add("diagonal", m -> floats(m, 3, 4).diagonal());
    add("diagonal 1", m -> floats(m, 3, 4).diagonal(1));
    add("diagonal -1", m -> floats(m, 3, 4).diagonal(-1));
    add("diagonal 9", m -> floats(m, 3, 4).diagonal(9));
    add("diagonal of three", m -> floats(m, 2, 3, 4).diagonal(0, 2, 0));
    add("pad", m -> floats(m, 2, 3).pad(new Shape(1, 2), 9));
    add("pad axes", m -> floats(m, 2, 3).pad(new Shape(1, 0, 2, 1), -1));
    add("stack", m -> floats(m, 2, 3).stack(floats(m, 2, 3).add(1)));
    add("stack 1", m -> NDArrays.stack(new NDList(floats(m, 2, 3), floats(m, 2, 3)), 1));
    add("stack 2", m -> NDArrays.stack(new NDList(floats(m, 2, 3), floats(m, 2, 3)), 2));
    add("concat", m -> floats(m, 2, 3).concat(floats(m, 4, 3)));
    add("concat 1", m -> NDArrays.concat(new NDList(floats(m, 2, 3), floats(m, 2, 2)), 1));
    add("concat refused", m -> NDArrays.concat(new NDList(floats(m, 2, 3), floats(m, 3, 2)), 1));
    add("duplicate", m -> floats(m, 2, 3).duplicate());
    add("toDense", m -> floats(m, 2, 3).toDense());
    add("stopGradient", m -> floats(m, 2, 3).stopGradient());
  }

  private static void orders() {
    for (DataType type : TYPES) {
      add("sort " + type, m -> numbers(m, type, 4, 5).sort());
      add("sort 0 " + type, m -> numbers(m, type, 4, 5).sort(0));
      if (type != DataType.BOOLEAN && type != DataType.UINT8) {
        add("argMax " + type, m -> distinct(m, type, 4, 5).argMax());
        add("argMin " + type, m -> distinct(m, type, 4, 5).argMin());
        add("argMax 0 " + type, m -> distinct(m, type, 4, 5).argMax(0));
        add("argMin -1 " + type, m -> distinct(m, type, 4, 5).argMin(-1));
        add("argSort " + type, m -> distinct(m, type, 4, 5).argSort());
        add("argSort falling " + type, m -> distinct(m, type, 4, 5).argSort(0, false));
        add("topK " + type, m -> distinct(m, type, 4, 5).topK(3, 1));
        add("topK smallest " + type, m -> distinct(m, type, 4, 5).topK(2, 0, false, true));
      }
      add("unique " + type, m -> numbers(m, type, 4, 5).round().unique(null, true, true, true));
      add("unique rows " + type, m -> numbers(m, type, 6, 2).sign().unique(0, true, true, true));
    }
    add("topK too many", m -> floats(m, 4).topK(5, 0));
    add("sort of a number", m -> m.create(3f).sort());
    add("argMax of a number", m -> m.create(3f).argMax());
    for (int axis : new int[] {0, 1, -1}) {
      add("softmax " + axis, m -> floats(m, 4, 5).softmax(axis));
      add("logSoftmax " + axis, m -> floats(m, 4, 5).logSoftmax(axis));
      add("softmax FLOAT64 " + axis, m -> numbers(m, DataType.FLOAT64, 4, 5).softmax(axis));
      add("median " + axis, m -> floats(m, 4, 5).median(new int[] {axis}));
      add("percentile " + axis, m -> floats(m, 4, 5).percentile(30, new int[] {axis}));
      add("diff " + axis, m -> floats(m, 4, 5).diff(2, axis));
    }
    add("softmax of -infinity", m -> m.create(new float[] {1, Float.NEGATIVE_INFINITY}).softmax(0));
    add("median", m -> floats(m, 4, 5).median());
    add("percentile", m -> floats(m, 4, 5).percentile(75));
    add("axis that is not there", m -> floats(m, 4, 5).sum(new int[] {2}));
  }

  /** Numbers of which no two are equal. */
  private static NDArray distinct(NDManager manager, DataType type, long... shape) {
    int count = (int) new Shape(shape).size();
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (i * 7 + 3) % count - count / 2.0;
    }
    return manager.create(numbers, new Shape(shape)).toType(type, false);
  }

  private static void indices() {
    for (String index :
        List.of(
            "0",
            "-1",
            ":",
            "1:",
            ":2",
            "::2",
            "1:3, 2",
            ":, -2:",
            "..., 1",
            "0, ...",
            "..., 1:3",
            "1, 2, 3",
            "*",
            "1:1",
            ":, :, ::3",
            "5",
            "0, 7",
            "-9:9")) {
      add("get " + index, m -> floats(m, 3, 4, 5).get(index));
      add(
          "set number " + index,
          m -> {
            NDArray x = floats(m, 3, 4, 5);
            x.set(new NDIndex(index), 42);
            return x;
          });
    }
    add("get numbers", m -> floats(m, 3, 4, 5).get(1, 2));
    add(
        "get shares",
        m -> {
          NDArray x = floats(m, 3, 4);
          x.get("1").addi(9);
          return x;
        });
    add("get by an array", m -> floats(m, 5, 4).get(m.create(new long[] {3, 0, -1})));
    add("get by int32", m -> floats(m, 5, 4).get(m.create(new int[] {3, 0})));
    add(
        "get by a matrix",
        m -> floats(m, 5, 4).get(m.create(new long[] {3, 0, 1, 2}, new Shape(2, 2))));
    add(
        "get by an array in an axis",
        m -> floats(m, 5, 4, 2).get(new NDIndex(":, {}", m.create(new long[] {1, 1, 3}))));
    add(
        "get by two arrays",
        m ->
            floats(m, 5, 4, 2)
                .get(
                    new NDIndex(
                        "{}, {}", m.create(new long[] {1, 0}), m.create(new long[] {3, 2}))));
    add(
        "get by two arrays apart",
        m ->
            floats(m, 5, 4, 3)
                .get(
                    new NDIndex(
                        "{}, :, {}", m.create(new long[] {1, 0}), m.create(new long[] {2, 0}))));
    add("get by an array beyond", m -> floats(m, 5, 4).get(m.create(new long[] {5})));
    add("get by a mask", m -> floats(m, 3, 4).get(floats(m, 3, 4).gt(0)));
    add("get by a mask of rows", m -> floats(m, 3, 4).get(floats(m, 3).gt(0)));
    add(
        "set by a mask",
        m -> {
          NDArray x = floats(m, 3, 4);
          x.set(x.gt(0), 7);
          return x;
        });
    add(
        "set by an array",
        m -> {
          NDArray x = floats(m, 5, 4);
          x.set(new NDIndex("{}", m.create(new long[] {1, 3})), floats(m, 2, 4));
          return x;
        });
    add(
        "set an array",
        m -> {
          NDArray x = floats(m, 3, 4, 5);
          x.set(new NDIndex("1, :, 1:3"), m.ones(new Shape(4, 2)));
          x.set(new NDIndex("2"), floats(m, 5));
          return x;
        });
    add(
        "set a function",
        m -> {
          NDArray x = floats(m, 3, 4);
          x.set(new NDIndex(":, 1"), part -> part.mul(-2));
          return x;
        });
    add(
        "setScalar",
        m -> {
          NDArray x = floats(m, 3, 4);
          x.setScalar(new NDIndex("1, 2"), 8);
          return x;
        });
    add(
        "pick",
        m ->
            floats(m, 3, 4)
                .get(new NDIndex().addAllDim().addPickDim(m.create(new long[] {1, 0, 3}))));
    add(
        "gather",
        m -> floats(m, 3, 4).gather(m.create(new long[] {0, 1, 2, 0, 3, 1}, new Shape(3, 2)), 1));
    add(
        "gather 0",
        m -> floats(m, 3, 4).gather(m.create(new long[] {0, 1, 2, 0}, new Shape(1, 4)), 0));
    add("gather beyond", m -> floats(m, 3, 4).gather(m.create(new long[][] {{4}}), 1));
    add(
        "gatherNd",
        m -> floats(m, 3, 4, 5).gatherNd(m.create(new long[] {0, 2, 3, 1}, new Shape(2, 2))));
    add("take", m -> floats(m, 3, 4).take(m.create(new long[] {0, 5, 11}, new Shape(3, 1))));
    add(
        "put",
        m -> {
          NDArray x = floats(m, 3, 4);
          NDArray y = x.put(m.create(new long[] {0, 5}), m.create(new float[] {100, 200}));
          return new NDList(x, y);
        });
    add(
        "scatter",
        m -> {
          NDArray x = floats(m, 3, 4);
          NDArray y =
              x.scatter(
                  m.create(new long[] {0, 3, 1}, new Shape(3, 1)),
                  m.create(new float[] {7, 8, 9}, new Shape(3, 1)),
                  1);
          return new NDList(x, y);
        });
    add("booleanMask", m -> floats(m, 3, 4).booleanMask(floats(m, 3, 4).gt(0)));
    add(
        "booleanMask axis",
        m -> floats(m, 3, 4).booleanMask(m.create(new boolean[] {true, false, true, true}), 1));
    add("nonzero", m -> numbers(m, DataType.INT32, 3, 4).nonzero());
    add("nonzero booleans", m -> floats(m, 3, 4).gt(1).nonzero());
    add("oneHot", m -> m.create(new long[] {0, 3, 1}).oneHot(4));
    add("oneHot type", m -> m.create(new int[] {0, 3, 1}).oneHot(4, DataType.INT32));
    add("oneHot beyond", m -> m.create(new long[] {0, 4}).oneHot(4));
    add(
        "getters",
        m ->
            List.of(
                floats(m, 3, 4).getFloat(1, 2),
                numbers(m, DataType.INT64, 3).getLong(1),
                numbers(m, DataType.INT32, 3).getInt(2),
                numbers(m, DataType.BOOLEAN, 3).getBoolean(0),
                numbers(m, DataType.FLOAT64, 3).getDouble(0)));
  }

  private static void products() {
    for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64, DataType.INT64)) {
      add("matMul " + type, m -> numbers(m, type, 3, 4).matMul(numbers(m, type, 4, 5)));
      add(
          "matMul views " + type,
          m -> numbers(m, type, 4, 3).transpose().matMul(numbers(m, type, 5, 4).transpose()));
      add("matMul vectors " + type, m -> numbers(m, type, 4).matMul(numbers(m, type, 4)));
      add("matMul of a vector " + type, m -> numbers(m, type, 3, 4).matMul(numbers(m, type, 4)));
      add("matMul by a row " + type, m -> numbers(m, type, 4).matMul(numbers(m, type, 4, 2)));
      add(
          "matMul batches " + type,
          m -> numbers(m, type, 2, 1, 3, 4).matMul(numbers(m, type, 5, 4, 2)));
      add(
          "batchMatMul " + type,
          m -> numbers(m, type, 2, 3, 4).batchMatMul(numbers(m, type, 2, 4, 5)));
      add("dot " + type, m -> numbers(m, type, 4).dot(numbers(m, type, 4)));
    }
    add("dot of matrices", m -> floats(m, 3, 4).dot(floats(m, 4, 2)));
    add("matMul refused", m -> floats(m, 3, 4).matMul(floats(m, 3, 4)));
    add("matMul of types", m -> floats(m, 3, 4).matMul(numbers(m, DataType.FLOAT64, 4, 3)));
    add("matMul of nothing", m -> m.create(new Shape(0, 4)).matMul(floats(m, 4, 3)));
    add("matMul over nothing", m -> m.create(new Shape(2, 0)).matMul(m.create(new Shape(0, 3))));
    add("inverse", m -> numbers(m, DataType.FLOAT64, 2, 3, 3).inverse());
    add("inverse of a singular matrix", m -> m.zeros(new Shape(2, 2)).inverse());
  }

  private static void creation() {
    for (DataType type : TYPES) {
      add("zeros " + type, m -> m.zeros(new Shape(2, 3), type));
      add("ones " + type, m -> m.ones(new Shape(2, 3), type));
      add("full " + type, m -> m.full(new Shape(2, 3), 1.5f, type));
      if (type != DataType.BOOLEAN) {
        add("arange " + type, m -> m.arange(1f, 9f, 2f, type));
        add("eye " + type, m -> m.eye(3, 4, 0, type));
      }
    }
    add("arange", m -> m.arange(5));
    add("arange floats", m -> m.arange(0.5f, 3f, 0.25f));
    add("arange backwards", m -> m.arange(5, 0, -2));
    add("arange of nothing", m -> m.arange(5, 0, 1));
    add("linspace", m -> m.linspace(0f, 1f, 7));
    add("linspace of one", m -> m.linspace(2f, 9f, 1));
    add("hanningWindow", m -> m.hanningWindow(7));
    add(
        "create numbers",
        m ->
            new NDList(
                m.create(1),
                m.create(2L),
                m.create(3f),
                m.create(4d),
                m.create((byte) 5),
                m.create(true)));
    add(
        "create arrays",
        m ->
            new NDList(
                m.create(new float[][] {{1, 2}, {3, 4}}),
                m.create(new int[][] {{1, 2}, {3, 4}}),
                m.create(new long[][] {{1, 2}}),
                m.create(new double[][] {{1}}),
                m.create(new byte[][] {{1, -2}}),
                m.create(new boolean[][] {{true, false}})));
    add("create a short buffer", m -> m.create(new float[] {1, 2}, new Shape(3)));
    add(
        "set floats",
        m -> {
          NDArray x = floats(m, 2, 3);
          x.set(new float[] {1, 2, 3, 4, 5, 6});
          return x;
        });
    add("encode", m -> NDArray.decode(m, floats(m, 2, 3).encode()));
    add(
        "copyTo",
        m -> {
          NDArray x = m.zeros(new Shape(2, 3));
          floats(m, 2, 3).copyTo(x);
          return x;
        });
    add(
        "intern",
        m -> {
          NDArray x = m.zeros(new Shape(2, 3));
          x.intern(floats(m, 4));
          return x;
        });
    add(
        "equals",
        m ->
            List.of(
                floats(m, 3).equals(floats(m, 3)),
                floats(m, 3).equals(floats(m, 4)),
                floats(m, 3).contentEquals(1),
                floats(m, 3).equals(numbers(m, DataType.FLOAT64, 3)),
                floats(m, 3).allClose(floats(m, 3).add(1e-9))));
  }

  private static void texts() {
    for (DataType type : TYPES) {
      add("toString " + type, m -> numbers(m, type, 3, 4).toString());
      add("toString of a row " + type, m -> numbers(m, type, 25).toString());
      add("toString of nothing " + type, m -> m.create(new Shape(0, 2), type).toString());
      add("toString of a number " + type, m -> numbers(m, type, 1).squeeze().toString());
    }
    add("toString of many", m -> floats(m, 30, 40).toString());
    add("toString of three axes", m -> floats(m, 12, 3, 13).mul(1e6).toString());
    add("toString of tiny numbers", m -> floats(m, 5).mul(1e-7).toString());
    add(
        "toString of NaN",
        m -> m.create(new float[] {1.5f, Float.NaN, 1 / 0f, -1 / 0f}).toString());
    add(
        "toString with a name",
        m -> {
          NDArray x = floats(m, 2);
          x.setName("x");
          return x.toString();
        });
  }
}
