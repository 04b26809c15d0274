package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.recurrent.RNN;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Programs whose gradients are asked for: at least one for each method that has them. */
final class GradientPrograms {
  /**
   * A program.
   *
   * @param name begins with the methods' names
   * @param peer whether DJL's PyTorch engine gives the gradients too
   * @param shapes of the inputs that require gradients
   * @param run gives what gradients are asked of
   */
  record GradientProgram(
      String name, boolean peer, List<Shape> shapes, Function<NDArray[], NDArray> run) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<GradientProgram> ALL = new ArrayList<>();

  private GradientPrograms() {}

  static Stream<GradientProgram> all() {
    return ALL.stream();
  }

  private static void add(
      String name, boolean peer, Function<NDArray[], NDArray> run, Shape... shapes) {
    ALL.add(new GradientProgram(name, peer, List.of(shapes), run));
  }

  private static void one(String name, UnaryOperator<NDArray> run, long... shape) {
    add(name, true, inputs -> run.apply(inputs[0]), new Shape(shape));
  }

  private static void own(String name, UnaryOperator<NDArray> run, long... shape) {
    add(name, false, inputs -> run.apply(inputs[0]), new Shape(shape));
  }

  private static void two(
      String name, java.util.function.BinaryOperator<NDArray> run, Shape first, Shape second) {
    add(name, true, inputs -> run.apply(inputs[0], inputs[1]), first, second);
  }

  private static NDArray overwritten(NDArray x) {
    NDArray y = x.abs().neg();
    NDArray z = x.xlogy(y.stopGradient());
    z.set(new NDIndex(":"), 1);
    return z.add(x);
  }

  private static NDArrayEx ex(NDArray array) {
    return array.getNDArrayInternal();
  }

  static {
    elements();
    pairs();
    inPlace();
    reductions();
    shapes();
    orders();
    indices();
    products();
    layers();
    windows();
    recurrent();
    own("interpolation", x -> ex(x).interpolation(new long[] {5, 3}, 1, true), 1, 2, 3, 4);
    for (int mode = 0; mode < 4; mode++) {
      int kind = mode;
      for (long[] size : new long[][] {{5, 3}, {2, 6}}) {
        add(
            "interpolation %d to %s".formatted(kind, new Shape(size)),
            true,
            in -> ex(in[0]).interpolation(size, kind, false),
            new Shape(1, 2, 3, 4));
      }
    }
    own("resize", x -> ex(x).resize(5, 4, 1), 3, 4, 2);
  }

  /** A recurrent layer of two layers and both directions, whose last states count too. */
  private static NDArray recurrent(String kind, NDArray... in) {
    NDList params = new NDList();
    int gates = kind.equals("lstm") ? 4 : kind.equals("gru") ? 3 : 1;
    long at = 0;
    for (int cell = 0; cell < 4; cell++) {
      long features = cell < 2 ? 2 : 6;
      for (Shape shape :
          new Shape[] {
            new Shape(gates * 3, features),
            new Shape(gates * 3, 3),
            new Shape(gates * 3),
            new Shape(gates * 3)
          }) {
        params.add(in[2].get(at + ":" + (at + shape.size())).reshape(shape));
        at += shape.size();
      }
    }
    NDArrayEx ex = ex(in[0]);
    NDList y =
        switch (kind) {
          case "lstm" ->
              ex.lstm(
                  in[0], new NDList(in[1], in[1].mul(2)), params, true, 2, 0, true, true, false);
          case "gru" -> ex.gru(in[0], in[1], params, true, 2, 0, true, true, true);
          default ->
              ex.rnn(in[0], in[1], params, true, 2, RNN.Activation.TANH, 0, true, true, false);
        };
    NDArray sum = y.get(0).flatten();
    for (NDArray state : y.subList(1, y.size())) {
      sum = sum.concat(state.flatten());
    }
    return sum;
  }

  private static void recurrent() {
    for (String kind : new String[] {"rnn", "gru", "lstm"}) {
      int gates = kind.equals("lstm") ? 4 : kind.equals("gru") ? 3 : 1;
      Shape weights = new Shape(gates * 3 * (2 * (2 + 5) + 2 * (6 + 5)));
      Shape state = kind.equals("gru") ? new Shape(4, 3, 3) : new Shape(4, 2, 3);
      add(kind, true, in -> recurrent(kind, in), new Shape(3, 2, 2), state, weights);
    }
  }

  private static void elements() {
    Map<String, UnaryOperator<NDArray>> unary = new LinkedHashMap<>();
    unary.put("sign", NDArray::sign);
    unary.put("neg", NDArray::neg);
    unary.put("abs", NDArray::abs);
    unary.put("square", NDArray::square);
    unary.put("sqrt", x -> x.abs().add(0.5).sqrt());
    unary.put("cbrt", x -> x.abs().add(0.5).cbrt());
    unary.put("floor", NDArray::floor);
    unary.put("ceil", NDArray::ceil);
    unary.put("round", NDArray::round);
    unary.put("trunc", NDArray::trunc);
    unary.put("exp", NDArray::exp);
    unary.put("gammaln", NDArray::gammaln);
    unary.put("log", x -> x.abs().log());
    unary.put("log10", x -> x.abs().log10());
    unary.put("log2", x -> x.abs().log2());
    unary.put("sin", NDArray::sin);
    unary.put("cos", NDArray::cos);
    unary.put("tan", x -> x.div(4).tan());
    unary.put("asin", x -> x.div(5).asin());
    unary.put("acos", x -> x.div(5).acos());
    unary.put("atan", NDArray::atan);
    unary.put("sinh", NDArray::sinh);
    unary.put("cosh", NDArray::cosh);
    unary.put("tanh", NDArray::tanh);
    unary.put("toDegrees", NDArray::toDegrees);
    unary.put("toRadians", NDArray::toRadians);
    unary.put("erf", NDArray::erf);
    unary.put("erfinv", x -> x.div(5).erfinv());
    unary.put("clip", x -> x.clip(-1.5, 2));
    unary.put("relu", x -> ex(x).relu());
    unary.put("sigmoid", x -> ex(x).sigmoid());
    unary.put("softPlus", x -> ex(x).softPlus());
    unary.put("softSign", x -> ex(x).softSign());
    unary.put("leakyRelu", x -> ex(x).leakyRelu(0.25f));
    unary.put("elu", x -> ex(x).elu(0.5f));
    unary.put("selu", x -> ex(x).selu());
    unary.put("gelu", x -> ex(x).gelu());
    unary.put("swish", x -> ex(x).swish(1.5f));
    unary.put("mish", x -> ex(x).mish());
    unary.put("stopGradient", x -> x.mul(x.stopGradient()));
    unary.put("scaleGradient", x -> x.square().scaleGradient(0.25));
    unary.forEach((name, run) -> one(name, run, 3, 5));
    own("asinh", NDArray::asinh, 3, 5);
    own("acosh", x -> x.abs().add(1.5).acosh(), 3, 5);
    own("atanh", x -> x.div(5).atanh(), 3, 5);
    // DJL's PyTorch engine lets no gradient through copies.
    own("toType", x -> x.toType(DataType.FLOAT32, true).square(), 3, 5);
    own("toDevice", x -> x.toDevice(x.getDevice(), true).square(), 3, 5);
    own("duplicate", x -> x.duplicate().mul(x), 3, 5);
    one("tanh Ex", x -> ex(x).tanh(), 4);
    one("a scalar", x -> x.square().mul(x));
  }

  private static void pairs() {
    Shape full = new Shape(2, 3, 4);
    for (Shape other : new Shape[] {full, new Shape(3, 1), new Shape(4), new Shape()}) {
      two("add " + other, NDArray::add, full, other);
      two("sub " + other, NDArray::sub, full, other);
      two("sub turned " + other, (a, b) -> b.sub(a), full, other);
      two("mul " + other, NDArray::mul, full, other);
      two("div " + other, (a, b) -> a.div(b.square().add(1)), full, other);
      two("pow " + other, (a, b) -> a.abs().add(0.1).pow(b), full, other);
      two("maximum " + other, NDArray::maximum, full, other);
      two("minimum " + other, NDArray::minimum, full, other);
      two("atan2 " + other, NDArray::atan2, full, other);
    }
    two("mod", (a, b) -> a.mod(b.abs().add(1)), full, full);
    two("xlogy", (a, b) -> a.xlogy(b.abs().add(0.5)), full, full);
    two("where", (a, b) -> ex(a).where(a.gt(0), b), full, new Shape(4));
    one("add a number", x -> x.add(3).sub(1).mul(2).div(4), 5);
    one("pow of numbers", x -> x.pow(3).add(x.abs().add(1).pow(0.5)), 5);
    one("mod of a number", x -> x.mod(2), 5);
    one("maximum of numbers", x -> x.maximum(1).add(x.minimum(-1)), 5);
    one("rdiv", x -> ex(x.abs().add(1)).rdiv(2), 5);
    one("rsub", x -> ex(x).rsub(2), 5);
    one("rmod", x -> ex(x.abs().add(1)).rmod(7), 5);
    one("rpow", x -> ex(x).rpow(2), 5);
    own("types that differ", x -> x.toType(DataType.FLOAT32, false).mul(x), 5);
    one("one array twice", x -> x.mul(x).add(x).sub(x.mul(x.add(x))), 5);
  }

  private static void inPlace() {
    Shape shape = new Shape(2, 3);
    one("sum, written over", x -> x.square().sum(new int[] {0}).muli(3), 2, 3);
    one("mean, written over", x -> x.mean(new int[] {0}).addi(3).muli(2), 2, 3);
    one(
        "norm 1 of zeros",
        x -> x.mul(2).sub(x).sub(x).add(x.sign()).norm(1, new int[] {0}, false),
        2,
        3);
    one("normalize by roots", x -> x.getNDArrayInternal().relu().normalize(0.5, 0, 1e-12), 4, 3);
    one("xlogy, written over", GradientPrograms::overwritten, 2, 3);
    two("addi", (a, b) -> a.square().addi(b), shape, shape);
    two("subi", (a, b) -> a.square().subi(b), shape, new Shape(3));
    two("muli", (a, b) -> a.square().muli(b).muli(a), shape, shape);
    two("divi", (a, b) -> a.square().divi(b.square().add(1)), shape, shape);
    two("modi", (a, b) -> a.square().modi(b.abs().add(1)), shape, shape);
    two("powi", (a, b) -> a.square().add(1).powi(b), shape, shape);
    one("negi", x -> x.square().negi(), 4);
    one("signi", x -> x.square().signi(), 4);
    own("rdivi", x -> ex(x.square().add(1)).rdivi(3), 4);
    one("rsubi", x -> ex(x.square()).rsubi(3), 4);
    own("rmodi", x -> ex(x.square().add(1)).rmodi(3), 4);
    own("rpowi", x -> ex(x.square().div(8)).rpowi(3), 4);
    one(
        "addi of a view",
        x -> {
          NDArray y = x.square();
          y.get(1).muli(x.get(0));
          return y.mul(x);
        },
        3,
        2);
    add(
        "copyTo",
        false,
        in -> {
          NDArray y = in[0].square();
          in[1].square().copyTo(y);
          return y.mul(in[0]);
        },
        shape,
        shape);
    two(
        "set",
        (a, b) -> {
          NDArray y = a.square();
          y.set(new NDIndex("1"), b);
          return y.mul(y);
        },
        shape,
        new Shape(3));
    two(
        "set over zeros",
        (a, b) -> {
          NDArray y = a.getManager().zeros(new Shape(4, 3), a.getDataType());
          NDArray view = y.get("1:3");
          y.set(new NDIndex("1:3"), a);
          y.set(new NDIndex("0"), b);
          return y.mul(2).add(view.sum());
        },
        shape,
        new Shape(3));
    one(
        "set a number",
        x -> {
          NDArray y = x.square();
          y.set(new NDIndex(":, 1"), 7);
          return y;
        },
        3,
        2);
  }

  private static void reductions() {
    one("sum", NDArray::sum, 3, 4);
    one("mean", NDArray::mean, 3, 4);
    one("max", NDArray::max, 3, 4);
    one("min", NDArray::min, 3, 4);
    one("prod", NDArray::prod, 2, 3);
    for (boolean keep : new boolean[] {false, true}) {
      one("sum of axes " + keep, x -> x.sum(new int[] {0, -1}, keep), 2, 3, 4);
      one("mean of axes " + keep, x -> x.mean(new int[] {1}, keep), 2, 3, 4);
      one("max of an axis " + keep, x -> x.max(new int[] {1}, keep), 2, 3, 4);
      one("min of an axis " + keep, x -> x.min(new int[] {-1}, keep), 2, 3, 4);
      one("prod of an axis " + keep, x -> x.prod(new int[] {1}, keep), 2, 3, 4);
      one("norm of axes " + keep, x -> x.norm(2, new int[] {0, 1}, keep), 2, 3, 4);
    }
    one("prod with zeros", x -> x.mul(x.round()).prod(new int[] {1}), 6, 4);
    one("norm", NDArray::norm, 3, 4);
    one("norm of order 1", x -> x.norm(1, new int[] {0}, false), 3, 4);
    one("norm of order 3", x -> x.norm(3, new int[] {0}, true), 3, 4);
    one("normalize", x -> x.normalize(2, 1), 3, 4);
    one("normalize of order 3", x -> x.normalize(3, 0, 1e-3), 3, 4);
    own("trace", NDArray::trace, 3, 4);
    one("cumSum", x -> x.cumSum(1), 3, 4);
    one("cumSum of one axis", NDArray::cumSum, 5);
    one("cumProd", x -> x.cumProd(1), 3, 4);
    one("cumProd with zeros", x -> x.mul(x.round()).cumProd(0), 4, 3);
    own("sum of equals", x -> x.round().mul(x).max(new int[] {0, 1}), 3, 4);
    own("mean of types", x -> x.toType(DataType.FLOAT32, false).mean(new int[] {0, 1}), 3, 4);
  }

  private static void shapes() {
    one("reshape", x -> x.transpose().reshape(3, 2, 2).mul(x.reshape(3, 2, 2)), 3, 4);
    one("flatten", x -> x.transpose().flatten().mul(x.flatten()), 3, 4);
    one("expandDims", x -> x.expandDims(1).mul(x), 3, 4);
    one("squeeze", x -> x.squeeze(1).mul(3), 3, 1, 4);
    one("transpose", x -> x.transpose(1, 2, 0).square(), 2, 3, 4);
    one("swapAxes", x -> x.swapAxes(0, 1).square(), 2, 3, 4);
    one("broadcast", x -> x.broadcast(new Shape(2, 3, 4)).square(), 3, 1);
    one("flip", x -> x.flip(0, 2).mul(x), 2, 3, 4);
    one("rotate90", x -> x.rotate90(1, new int[] {0, 1}).square(), 3, 4);
    one("split", x -> x.split(3, 1).get(1).mul(x.split(3, 1).get(2)), 2, 6);
    one("diagonal", x -> x.diagonal().mul(x.diagonal(1)), 4, 5);
    one("tile", x -> x.tile(new long[] {2, 3}).square(), 2, 3);
    own("tile an axis", x -> x.tile(1, 3).square(), 2, 3);
    one("repeat", x -> x.repeat(1, 3).square(), 2, 3);
    one("repeat of each axis", x -> x.repeat(new long[] {2, 3}).square(), 2, 3);
    one("pad", x -> x.pad(new Shape(1, 2, 0, 1), 5).square(), 2, 3);
    own("pad by less", x -> x.pad(new Shape(-1, 2), 5).square(), 2, 3);
    own("toDense", x -> x.toDense().mul(2), 2, 3);
    two("stack", (a, b) -> a.stack(b, 1).square(), new Shape(2, 3), new Shape(2, 3));
    two("concat", (a, b) -> a.concat(b, 1).square(), new Shape(2, 3), new Shape(2, 1));
    own("crop", x -> ex(x).crop(1, 0, 2, 2), 3, 4, 2);
    one("diff", x -> x.diff(1, -1).square(), 2, 4);
    own("conj", x -> x.conj().square(), 2, 4);
  }

  private static void orders() {
    one("sort", x -> x.sort(1).mul(x), 3, 4);
    one("sort of one axis", x -> x.sort().mul(x), 5);
    one("topK", x -> x.topK(2, 1, false, true).get(0).square(), 3, 4);
    one("softmax", x -> x.softmax(1), 3, 4);
    one("logSoftmax", x -> x.logSoftmax(0), 3, 4);
    own("median", x -> x.median(new int[] {1}), 3, 4);
    own("percentile", x -> x.percentile(30, new int[] {0}), 4, 3);
  }

  private static void indices() {
    one("get", x -> x.get(1).mul(x.get(0)), 3, 4);
    one("get a slice", x -> x.get(":, 1:4:2").square(), 3, 4);
    one("getScalar", x -> x.getScalar(1, 2).square(), 3, 4);
    one("get by an array", x -> x.get(x.getManager().create(new long[] {2, 0, 2})).square(), 3, 4);
    own(
        "get by arrays at the end",
        x ->
            x.transpose()
                .get(new NDIndex(":, {}", x.getManager().create(new long[] {2, 0, 2})))
                .square(),
        3,
        4);
    one("get by a mask", x -> x.get(x.gt(0)).square(), 3, 4);
    one(
        "gather",
        x -> x.gather(x.getManager().create(new long[] {1, 1, 0, 2}, new Shape(2, 2)), 1).square(),
        2,
        3);
    one(
        "gatherNd",
        x -> x.gatherNd(x.getManager().create(new long[] {1, 1, 0, 2}, new Shape(2, 2))).square(),
        3,
        4);
    one("take", x -> x.take(x.getManager().create(new long[] {5, 0, 5})).square(), 2, 3);
    two(
        "put",
        (a, b) -> a.square().put(a.getManager().create(new long[] {4, 1}), b),
        new Shape(2, 3),
        new Shape(2));
    two(
        "scatter",
        (a, b) ->
            a.square()
                .scatter(a.getManager().create(new long[] {1, 0, 0, 2}, new Shape(2, 2)), b, 1),
        new Shape(2, 4),
        new Shape(2, 2));
    one("booleanMask", x -> x.booleanMask(x.gt(0)).square(), 3, 4);
    own(
        "booleanMask of an axis",
        x -> x.booleanMask(x.getManager().create(new boolean[] {true, false, true}), 1).square(),
        4,
        3);
    own(
        "sequenceMask",
        x -> x.square().sequenceMask(x.getManager().create(new int[] {1, 3}), 5),
        2,
        3);
    two(
        "set by an array",
        (a, b) -> {
          NDArray y = a.square();
          y.set(new NDIndex("{}", a.getManager().create(new long[] {2, 0})), b);
          return y.mul(a);
        },
        new Shape(3, 2),
        new Shape(2, 2));
    two(
        "set by a mask",
        (a, b) -> {
          NDArray y = a.square();
          y.set(new NDIndex("{}", a.gt(0)), x -> x.mul(3));
          return y.mul(b);
        },
        new Shape(3, 2),
        new Shape(2));
  }

  private static void products() {
    two("dot", NDArray::dot, new Shape(3), new Shape(3));
    two("dot of matrices", NDArray::dot, new Shape(2, 3), new Shape(3, 4));
    two("matMul", NDArray::matMul, new Shape(2, 1, 3, 4), new Shape(5, 4, 2));
    two("matMul row", NDArray::matMul, new Shape(4), new Shape(2, 4, 3));
    two("matMul column", NDArray::matMul, new Shape(2, 3, 4), new Shape(4));
    two("matMul turned", (a, b) -> a.matMul(b.transpose()), new Shape(3, 4), new Shape(5, 4));
    two("batchMatMul", NDArray::batchMatMul, new Shape(2, 3, 4), new Shape(2, 4, 5));
    add("batchDot", false, in -> in[0].batchDot(in[1]), new Shape(2, 3, 4), new Shape(2, 4, 5));
    one("inverse", x -> x.add(x.getManager().eye(3).mul(9)).inverse(), 2, 3, 3);
  }

  private static void layers() {
    add(
        "linear",
        true,
        in -> ex(in[0]).linear(in[0], in[1], in[2]).get(0),
        new Shape(2, 3, 4),
        new Shape(5, 4),
        new Shape(5));
    one(
        "embedding",
        x -> {
          NDArray ids = x.getManager().create(new long[] {5, 0, 2, 2}, new Shape(2, 2));
          return ex(ids).embedding(ids, x, SparseFormat.DENSE).get(0).square();
        },
        6,
        3);
    add(
        "prelu",
        false,
        in -> ex(in[0]).prelu(in[0], in[1]).get(0),
        new Shape(2, 3, 4),
        new Shape(3));
    one("dropout", x -> ex(x).dropout(x, 0.5f, false).get(0).square(), 3, 4);
    add(
        "layerNorm",
        true,
        in -> ex(in[0]).layerNorm(in[0], new Shape(3, 4), in[1], in[2], 1e-5f).get(0),
        new Shape(2, 3, 4),
        new Shape(3, 4),
        new Shape(3, 4));
    for (boolean training : new boolean[] {false, true}) {
      add(
          "batchNorm " + training,
          true,
          in -> {
            NDManager m = in[0].getManager();
            NDArray mean = m.ones(new Shape(3), in[0].getDataType());
            NDArray variance = m.ones(new Shape(3), in[0].getDataType()).mul(2);
            return ex(in[0])
                .batchNorm(in[0], mean, variance, in[1], in[2], 1, 0.9f, 1e-5f, training)
                .get(0);
          },
          new Shape(4, 3, 2),
          new Shape(3),
          new Shape(3));
    }
    own("toTensor", x -> ex(x).toTensor(), 4, 5, 3);
    own(
        "normalize an image",
        x -> ex(x).normalize(new float[] {1, 2, 3}, new float[] {4, 5, 6}).square(),
        3,
        4,
        5);
  }

  private static void windows() {
    Shape none = new Shape(0, 0);
    one(
        "maxPool",
        x -> ex(x).maxPool(new Shape(3, 2), new Shape(2, 1), new Shape(1, 0), true),
        2,
        2,
        6,
        5);
    one(
        "avgPool",
        x -> ex(x).avgPool(new Shape(3, 2), new Shape(2, 1), new Shape(1, 0), true, true),
        2,
        2,
        6,
        5);
    own(
        "avgPool without padding",
        x -> ex(x).avgPool(new Shape(3), new Shape(2), new Shape(1), false, false),
        2,
        2,
        6);
    one("lpPool", x -> ex(x).lpPool(2, new Shape(3, 2), new Shape(2, 2), none, false), 1, 2, 5, 4);
    one("globalMaxPool", x -> ex(x).globalMaxPool(), 2, 3, 4);
    one("globalAvgPool", x -> ex(x).globalAvgPool(), 2, 3, 4, 2);
    own("globalLpPool", x -> ex(x).globalLpPool(2), 2, 3, 4);
    for (int groups : new int[] {1, 2}) {
      add(
          "convolution " + groups,
          true,
          in ->
              ex(in[0])
                  .convolution(
                      in[0],
                      in[1],
                      in[2],
                      new Shape(2, 1),
                      new Shape(1, 2),
                      new Shape(1, 2),
                      groups)
                  .get(0),
          new Shape(2, 4, 6, 5),
          new Shape(6, 4 / groups, 3, 2),
          new Shape(6));
      add(
          "deconvolution " + groups,
          false,
          in ->
              ex(in[0])
                  .deconvolution(
                      in[0],
                      in[1],
                      in[2],
                      new Shape(2, 1),
                      new Shape(1, 0),
                      new Shape(1, 0),
                      new Shape(1, 2),
                      groups)
                  .get(0),
          new Shape(2, 4, 3, 2),
          new Shape(4, 3, 3, 2),
          new Shape(3 * groups));
    }
    add(
        "convolution of elements",
        true,
        in ->
            ex(in[0])
                .convolution(in[0], in[1], null, new Shape(1), new Shape(0), new Shape(1), 1)
                .get(0),
        new Shape(2, 3, 5),
        new Shape(4, 3, 1));
  }

  /** Methods that refuse an array which needs a gradient, since they have none. */
  static Map<String, Function<NDArray, Object>> refused() {
    Map<String, Function<NDArray, Object>> refused = new LinkedHashMap<>();
    refused.put("fft", x -> x.fft(4));
    refused.put("ifft", x -> x.ifft(4));
    refused.put("rfft", x -> x.rfft(4));
    refused.put("irfft", x -> x.irfft(4));
    refused.put("fft2", x -> x.fft2(new long[] {2, 2}));
    refused.put("ifft2", x -> x.ifft2(new long[] {2, 2}));
    refused.put("stft", x -> x.flatten().stft(4, 2, false, x.get(0).stopGradient(), true));
    refused.put("complex", x -> x.reshape(-1, 2).complex());
    refused.put("unique", NDArray::unique);
    return refused;
  }
}
