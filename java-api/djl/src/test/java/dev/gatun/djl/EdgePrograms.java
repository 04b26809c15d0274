package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Programs at the edges: arrays without axes or elements, NaN and infinities, equal elements, and
 * numbers that a type does not hold.
 */
final class EdgePrograms {
  private EdgePrograms() {}

  private static NDArray whole(NDManager m, DataType type, int... numbers) {
    return m.create(numbers).toType(type, false);
  }

  private static NDArray floats(NDManager m, float... numbers) {
    return m.create(numbers);
  }

  static void addTo(List<Program> all) {
    Map<String, Function<NDManager, Object>> programs = new LinkedHashMap<>();
    shapes(programs);
    orders(programs);
    numbers(programs);
    indices(programs);
    empty(programs);
    images(programs);
    cut(programs);
    complex(programs);
    shared(programs);
    programs.forEach((name, run) -> all.add(new Program(name, run)));
  }

  private static void shapes(Map<String, Function<NDManager, Object>> all) {
    all.put("squeeze of a longer axis", m -> m.ones(new Shape(2, 1, 3)).squeeze(0));
    all.put("squeeze backwards", m -> m.ones(new Shape(2, 1, 3)).squeeze(-2));
    all.put("squeeze outside", m -> m.ones(new Shape(2, 1)).squeeze(2));
    all.put("squeeze of a number", m -> m.create(3f).squeeze(0));
    all.put("swapAxes backwards", m -> m.arange(24f).reshape(2, 3, 4).swapAxes(0, -1));
    all.put("swapAxes outside", m -> m.ones(new Shape(2, 3)).swapAxes(0, 2));
    all.put("swapAxes of a number", m -> m.create(3f).swapAxes(0, -1));
    all.put("flip of two axes", m -> m.arange(24f).reshape(2, 3, 4).flip(0, -1));
    all.put("flip of a view", m -> m.arange(24f).reshape(4, 6).transpose().get("1::2").flip(1));
    all.put("flip of an axis twice", m -> m.arange(4f).flip(0, -1));
    all.put("flip of a number", m -> m.create(3f).flip(0));
    all.put("split of nothing", m -> m.create(new Shape(0, 2)).split(3));
    all.put("rotate90 about an axis", m -> m.ones(new Shape(2, 2)).rotate90(1, new int[] {0, -2}));
    all.put("transpose by an axis twice", m -> m.ones(new Shape(2, 2)).transpose(0, 0));
  }

  private static void orders(Map<String, Function<NDManager, Object>> all) {
    for (DataType type : List.of(DataType.FLOAT32, DataType.INT64, DataType.BOOLEAN)) {
      all.put(
          "argSort of equal ones " + type,
          m -> {
            NDArray x = whole(m, type, 1, 0, 1, 1, 0, 0);
            return new NDList(x.argSort(0, true), x.argSort(0, false));
          });
    }
    all.put(
        "argSort along the first",
        m -> whole(m, DataType.INT32, 1, 2, 1, 2, 3, 3).reshape(3, 2).argSort(0, false));
    NDArrayFunction nan = m -> floats(m, 3, Float.NaN, 1, 2, 5, 4).reshape(2, 3);
    all.put("median with NaN", m -> nan.of(m).median(new int[] {1}));
    all.put("percentile with NaN", m -> nan.of(m).percentile(25, new int[] {1}));
    all.put("percentile of no number", m -> nan.of(m).percentile(101));
    all.put("argMax with NaN", m -> nan.of(m).argMax(1));
    all.put("unique with NaN", m -> floats(m, 1, Float.NaN, Float.NaN, 1).unique().get(0));
    all.put(
        "unique along an axis",
        m -> floats(m, 1, 1, 2, 2).reshape(2, 2).unique(1, true, false, false));
    all.put("unique of a number", m -> m.create(3f).unique(null, true, true, true));
    all.put("topK of a number", m -> m.create(3f).topK(1, 0));
    all.put("softmax of NaN", m -> m.create(Float.NaN).softmax(0));
    all.put("logSoftmax of a number", m -> m.create(7f).logSoftmax(-1));
    all.put("cumSum of -0", m -> floats(m, -0f, -0f).cumSum(0));
  }

  /** An array made anew for each engine. */
  interface NDArrayFunction {
    NDArray of(NDManager manager);
  }

  private static void numbers(Map<String, Function<NDManager, Object>> all) {
    for (DataType type : List.of(DataType.UINT8, DataType.INT8)) {
      all.put("maximum beyond " + type, m -> whole(m, type, 26, 100).maximum(300));
      all.put("minimum beyond " + type, m -> whole(m, type, 26, 100).minimum(-200));
      all.put("gt beyond " + type, m -> whole(m, type, 26, 100).gt(300));
      all.put("mod beyond " + type, m -> whole(m, type, 26, 100).mod(1001));
      all.put("pow beyond " + type, m -> whole(m, type, 1, 3).pow(-1));
      all.put("div beyond " + type, m -> whole(m, type, 26, 100).div(-300));
      all.put("rdiv beyond " + type, m -> whole(m, type, 26, 100).getNDArrayInternal().rdiv(-3));
      all.put("clip beyond " + type, m -> whole(m, type, 26, 100).clip(-2, 127));
    }
    all.put("clip by a whole and another", m -> whole(m, DataType.INT8, 26).clip(7e4f, 70001));
    all.put("clip of a number", m -> whole(m, DataType.UINT8, 5).get(0).clip(1, 3));
    all.put(
        "eq beyond FLOAT32", m -> m.create(new long[] {16777217L, 5}).eq(floats(m, 16777216, 5)));
    all.put("lt of a number of FLOAT64", m -> floats(m, 0.1f).lt(m.create(0.1)));
    all.put("lt of FLOAT64", m -> floats(m, 0.1f).lt(m.create(new double[] {0.1})));
    all.put("add a number of FLOAT64", m -> floats(m, 1e8f).add(m.create(1.0000001e8)));
    for (Number number : List.of(70000, 3.7f, 3.7)) {
      NDArrayFunction half = m -> floats(m, 0.5f, 3.7f, -3.25f).toType(DataType.FLOAT16, false);
      String with = " FLOAT16 with %s %s".formatted(number.getClass().getSimpleName(), number);
      all.put("eq" + with, m -> half.of(m).eq(number));
      all.put("lt" + with, m -> half.of(m).lt(m.create(number)));
      all.put("add" + with, m -> half.of(m).add(number).mul(100));
      all.put("mul" + with, m -> half.of(m).mul(number));
      all.put("divi" + with, m -> half.of(m).divi(number).mul(1e5));
      all.put("rdiv" + with, m -> half.of(m).getNDArrayInternal().rdiv(number));
    }
    all.put("sin of a large number", m -> m.create(new long[] {16777217L, 123456789}).sin());
    all.put("toDegrees of a number", m -> m.create(2f).toDegrees());
    all.put("toRadians of a number", m -> m.create(2f).toRadians());
    all.put("cbrt of a number", m -> m.create(8f).cbrt());
    all.put(
        "log2 of powers",
        m -> m.create(2.0).pow(m.arange(1f, 60f).toType(DataType.FLOAT64, false)).log2().floor());
    all.put("powers of 1", m -> m.create(1f).pow(floats(m, Float.NaN, Float.POSITIVE_INFINITY, 0)));
    all.put("infinite powers of -1", m -> floats(m, -1).pow(floats(m, Float.POSITIVE_INFINITY)));
    all.put("norm of large numbers", m -> floats(m, 3e38f, 1e38f).norm());
    all.put("normalize large numbers", m -> floats(m, 3.4e38f, -3).reshape(2, 1).normalize());
    for (DataType type : List.of(DataType.INT64, DataType.INT32)) {
      all.put(
          "toType of what is not there " + type,
          m ->
              floats(m, Float.NaN, Float.POSITIVE_INFINITY, 3e38f, -3e38f, 1.9f)
                  .toType(type, false));
    }
    all.put(
        "hasGradient of what is made",
        m -> {
          NDArray x = m.ones(new Shape(2));
          x.setRequiresGradient(true);
          try (var _ = m.getEngine().newGradientCollector()) {
            NDArray y = x.mul(2);
            return List.of(
                x.hasGradient(), y.hasGradient(), x.get("0").hasGradient(), y.toString());
          }
        });
  }

  private static void indices(Map<String, Function<NDManager, Object>> all) {
    for (boolean chosen : new boolean[] {true, false}) {
      all.put("get of a number by " + chosen, m -> m.create(3f).get(m.create(chosen)));
      all.put("get by a truth " + chosen, m -> m.arange(3f).get(m.create(chosen)));
      all.put("booleanMask by a truth " + chosen, m -> m.create(3f).booleanMask(m.create(chosen)));
    }
    all.put(
        "get by an array without axes is a view",
        m -> {
          NDArray x = m.arange(6f).reshape(2, 3);
          x.get(m.create(1L)).addi(10);
          return x;
        });
    all.put(
        "gatherNd of one place is a view",
        m -> {
          NDArray x = m.arange(6f).reshape(2, 3);
          x.gatherNd(m.create(new long[] {1, 2})).addi(10);
          return x;
        });
    all.put(
        "booleanMask by a truth behind the axes",
        m -> m.arange(6f).reshape(2, 3).booleanMask(m.create(false), 2));
    all.put("booleanMask of a number behind it", m -> m.create(3f).booleanMask(m.create(false), 1));
    all.put(
        "gather by booleans",
        m -> m.arange(3f).gather(m.create(new boolean[] {true, false, true}), 0));
    all.put("oneHot of any depth", m -> m.create(new long[] {1, 3, 0}).oneHot(-1));
    all.put("oneHot of any depth of nothing", m -> m.create(new Shape(0)).oneHot(-1));
    all.put("oneHot of less than any depth", m -> m.create(new long[] {1}).oneHot(-2));
    all.put("gather backwards", m -> m.arange(3f).gather(m.create(new long[] {-1}), 0));
    all.put(
        "scatter backwards",
        m -> m.arange(3f).scatter(m.create(new long[] {-1}), m.ones(new Shape(1)), 0));
    for (int id : new int[] {-1, 2, 3}) {
      all.put(
          "embedding of id " + id,
          m -> {
            NDArray ids = m.create(new long[] {id});
            NDArray table = m.arange(6f).reshape(3, 2);
            return ids.getNDArrayInternal().embedding(ids, table, SparseFormat.DENSE);
          });
    }
    all.put("scatter to a number", m -> m.create(3f).scatter(m.create(0L), m.create(7f), 0));
  }

  private static void images(Map<String, Function<NDManager, Object>> all) {
    for (int mode = 0; mode < 5; mode++) {
      int kind = mode;
      for (int[] size : new int[][] {{3, 4}, {20, 17}, {5, 30}, {1, 1}}) {
        String on = " by %d to %d and %d".formatted(kind, size[0], size[1]);
        NDArrayFunction image = m -> m.arange(11f * 13 * 3).mul(0.37f).sin().reshape(11, 13, 3);
        all.put(
            "resize" + on, m -> image.of(m).getNDArrayInternal().resize(size[0], size[1], kind));
        Map<String, NDArrayFunction> batches = new LinkedHashMap<>();
        batches.put("", m -> image.of(m).transpose(2, 0, 1).expandDims(0));
        if (kind != 2) {
          batches.put(
              " of bytes",
              m -> batches.get("").of(m).add(1).mul(127.5f).toType(DataType.UINT8, false));
        }
        batches.forEach(
            (name, batch) ->
                all.put(
                    "interpolation" + on + name,
                    m ->
                        batch
                            .of(m)
                            .getNDArrayInternal()
                            .interpolation(new long[] {size[0], size[1]}, kind, false)));
      }
    }
  }

  /** Steps, lengths and windows that whole numbers cut. */
  private static void cut(Map<String, Function<NDManager, Object>> all) {
    float[][] ranges = {{4, 0, -1.5f}, {0, 10, 2.5f}, {4.5f, 0.2f, -1.9f}, {0.5f, 4, 0.7f}};
    List<DataType> whole = List.of(DataType.INT64, DataType.INT32, DataType.INT8, DataType.UINT8);
    for (DataType type : whole) {
      for (float[] r : ranges) {
        all.put(
            "arange from %s to %s by %s %s".formatted(r[0], r[1], r[2], type),
            m -> m.arange(r[0], r[1], r[2], type));
      }
      all.put(
          "maxPool " + type,
          m ->
              whole(m, type, 1, 5, 2, 4, 3, 6, 9, 8)
                  .reshape(1, 1, 4, 2)
                  .getNDArrayInternal()
                  .maxPool(new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), false));
      all.put(
          "convolution of whole numbers " + type,
          m ->
              whole(m, type, 1)
                  .getNDArrayInternal()
                  .convolution(
                      whole(m, type, 100, 5, 120, 4).reshape(1, 1, 4),
                      whole(m, type, 1, 2).reshape(1, 1, 2),
                      whole(m, type, 3),
                      new Shape(1),
                      new Shape(0),
                      new Shape(1),
                      1)
                  .get(0));
    }
    all.put(
        "avgPool INT64",
        m ->
            whole(m, DataType.INT64, 1, 5, -2, -5)
                .reshape(1, 1, 4)
                .getNDArrayInternal()
                .avgPool(new Shape(2), new Shape(2), new Shape(0), false, true));
    all.put("arange by 0", m -> m.arange(0f, 4f, 0f));
    all.put("arange of nothing by 0", m -> m.arange(4f, 4f, 0f));
    all.put("hanningWindow of one", m -> m.hanningWindow(1));
    for (int axis : new int[] {0, 2}) {
      NDArrayFunction pooled = m -> m.arange(24f).sub(9).reshape(2, 3, 4).swapAxes(axis, 2);
      all.put("globalLpPool 1 " + axis, m -> pooled.of(m).getNDArrayInternal().globalLpPool(1));
      all.put("globalLpPool 2 " + axis, m -> pooled.of(m).getNDArrayInternal().globalLpPool(2));
    }
    NDArrayFunction narrow = m -> m.arange(6f).reshape(1, 1, 6, 1);
    Shape two = new Shape(1, 2);
    all.put(
        "maxPool beyond the end",
        m -> narrow.of(m).getNDArrayInternal().maxPool(two, two, new Shape(0, 0), true));
    all.put(
        "avgPool beyond the end",
        m -> narrow.of(m).getNDArrayInternal().avgPool(two, two, new Shape(0, 0), true, true));
    all.put(
        "lpPool beyond the end",
        m -> narrow.of(m).getNDArrayInternal().lpPool(2, two, two, new Shape(0, 0), true));
    all.put(
        "maxPool wider than the array",
        m -> narrow.of(m).getNDArrayInternal().maxPool(two, two, new Shape(0, 0), false));
    for (double percent : new double[] {7, 33.3, 77.7, 99.9}) {
      all.put(
          "percentile %s FLOAT64".formatted(percent),
          m -> m.create(new double[] {1.1, -3.2, 5.7, 2, 9}).percentile(percent));
    }
  }

  private static void complex(Map<String, Function<NDManager, Object>> all) {
    NDArrayFunction pairs = m -> m.arange(12f).sub(5).reshape(3, 2, 2).complex();
    all.put("sum of complex numbers", m -> pairs.of(m).sum());
    all.put("sum of complex numbers along 0", m -> pairs.of(m).sum(new int[] {0}, true));
    all.put("mean of complex numbers", m -> pairs.of(m).mean());
    all.put("mean of complex numbers along -1", m -> pairs.of(m).mean(new int[] {-1}));
    all.put("sum of a complex number", m -> pairs.of(m).get(1, 1).sum());
    all.put("cumSum of complex numbers", m -> pairs.of(m).transpose().cumSum(1));
    all.put("norm of complex numbers", m -> pairs.of(m).norm());
    all.put("norm of complex numbers along 0", m -> pairs.of(m).norm(new int[] {0}));
    all.put("normalize complex numbers", m -> pairs.of(m).normalize());
    all.put("max of complex numbers", m -> pairs.of(m).max());
    all.put("sort of complex numbers", m -> pairs.of(m).sort());
    all.put("argMax of complex numbers", m -> pairs.of(m).argMax());
    all.put("topK of complex numbers", m -> pairs.of(m).topK(1, 0));
    all.put("softmax of complex numbers", m -> pairs.of(m).softmax(0));
    all.put("unique of complex numbers", m -> pairs.of(m).unique());
    all.put("rfft of complex numbers", m -> pairs.of(m).rfft(2));
  }

  private static void empty(Map<String, Function<NDManager, Object>> all) {
    NDArrayFunction rows = m -> m.create(new Shape(2, 0));
    all.put("a view behind the end of nothing", m -> m.create(new Shape(0, 2, 3)).get(":, 1:"));
    all.put("cumSum of a view of nothing", m -> m.create(new Shape(3, 2, 0)).transpose().cumSum());
    all.put("cumSum of nothing", m -> rows.of(m).cumSum(1));
    all.put("cumProd of nothing", m -> rows.of(m).cumProd(1));
    all.put("sort of nothing", m -> rows.of(m).sort(1));
    all.put("argSort of nothing", m -> rows.of(m).argSort(1, false));
    all.put("softmax of nothing", m -> rows.of(m).softmax(1));
    all.put("median of nothing", m -> rows.of(m).median(new int[] {1}));
    all.put("argMax of nothing", m -> rows.of(m).argMax(0));
    all.put("argMax along nothing", m -> rows.of(m).argMax(1));
    all.put("fft of nothing", m -> rows.of(m).fft(3, 1));
    all.put("irfft of nothing", m -> rows.of(m).rfft(4, 1).irfft(4, 1));
    all.put(
        "concat from nothing",
        m ->
            m.create(new Shape(0))
                .concat(m.ones(new Shape(2, 3)), 1)
                .concat(m.ones(new Shape(2, 1)), 1));
    all.put("concat to nothing", m -> m.ones(new Shape(2, 3)).concat(m.create(new Shape(0)), 0));
    all.put("concat of nothing", m -> m.create(new Shape(0)).concat(m.create(new Shape(0))));
    for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
      all.put(
          "matMul of nothing " + type,
          m -> m.create(new Shape(2, 0), type).matMul(m.create(new Shape(0, 3), type)));
    }
    all.put("irfft of FLOAT64", m -> m.create(new double[] {1, 2, 3}).irfft(4));
    all.put(
        "stft of FLOAT64 in parts",
        m ->
            m.create(new double[] {1, 2, 4, 8, 9, 0.1})
                .stft(4, 1, true, m.hanningWindow(4), true, false));
    all.put(
        "nearest of NaN",
        m ->
            floats(m, Float.NaN, 1, 2, 3)
                .reshape(1, 1, 2, 2)
                .getNDArrayInternal()
                .interpolation(new long[] {3, 3}, 0, false));
    all.put("diff of a number", m -> m.create(3f).diff(1, 0));
    all.put(
        "set of nothing",
        m -> {
          NDArray x = m.ones(new Shape(2, 2));
          x.set(new NDIndex("2:"), 5);
          return x;
        });
    all.put(
        "randomUniform of whole numbers", m -> m.randomUniform(0, 1, new Shape(2), DataType.INT32));
    all.put("randomUniform the wrong way", m -> m.randomUniform(2, 1, new Shape(2)));
    all.put(
        "randomNormal of no deviation", m -> m.randomNormal(0, -1, new Shape(2), DataType.FLOAT32));
    all.put("randomInteger of nothing", m -> m.randomInteger(3, 3, new Shape(2), DataType.INT64));
    all.put("randomInteger beyond", m -> m.randomInteger(0, 257, new Shape(2), DataType.UINT8));
    all.put("randomUniform beyond", m -> m.randomUniform(0, 7e4f, new Shape(2), DataType.FLOAT16));
    all.put("randomPermutation of fewer than none", m -> m.randomPermutation(-1));
  }

  /** Arrays whose elements share their memory, or did, written over. */
  private static void shared(Map<String, Function<NDManager, Object>> all) {
    Map<String, Function<NDArray, Object>> writes = new LinkedHashMap<>();
    writes.put("addi a number", x -> x.addi(1));
    writes.put("muli an array", x -> x.muli(x.duplicate()));
    writes.put("negi", NDArray::negi);
    writes.put(
        "set a row",
        x -> {
          x.set(new NDIndex("1"), x.getManager().create(new float[] {7, 8}));
          return x;
        });
    writes.put(
        "copyTo",
        x -> {
          x.duplicate().neg().copyTo(x);
          return x;
        });
    writes.forEach(
        (name, write) -> {
          all.put(name + " of a broadcast row", m -> write.apply(floats(m, 1, 2).broadcast(3, 2)));
          all.put(
              name + " of a broadcast row's copy",
              m -> write.apply(floats(m, 1, 2).broadcast(3, 2).duplicate()));
          all.put(
              name + " of a row that is broadcast to itself",
              m -> write.apply(floats(m, 1, 2, 3, 4).reshape(2, 2).broadcast(2, 2)));
        });
  }
}
