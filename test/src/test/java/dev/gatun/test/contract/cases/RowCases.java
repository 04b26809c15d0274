package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.ids;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.Stream;

/** Norms, softmax, losses and elementwise kernels over random rows, in place and not. */
public final class RowCases {
  // As many 16-bit numbers as are read at once.
  private static final int VECTOR = 8;
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  private RowCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("cross_entropy", RowCases::crossEntropy),
        Generator.of("layer_norm-codes", s -> coded(s, false, false)),
        Generator.of("rms_norm-codes", s -> coded(s, true, false)),
        inSomeDtype("layer_norm", s -> layerNorm(s, false)),
        inSomeDtype("rms_norm", s -> rmsNorm(s, false)),
        inSomeDtype("gated_activation", s -> gated(s, false)),
        inSomeDtype("softmax", s -> softmax(s, false)),
        inSomeDtype("l2_normalize", s -> l2Normalize(s, false)),
        inSomeDtype("activation", s -> activate(s, false)));
  }

  /** Rows whose length lets every kernel read 16 bytes at a time. */
  static List<Generator> tiles() {
    return Stream.of(
            codedInEveryDtype("layer_norm-codes", false),
            codedInEveryDtype("rms_norm-codes", true),
            inSomeDtype("layer_norm", s -> layerNorm(s, true)),
            inSomeDtype("rms_norm", s -> rmsNorm(s, true)),
            inSomeDtype("gated_activation", s -> gated(s, true)),
            inSomeDtype("softmax", s -> softmax(s, true)),
            inSomeDtype("activation", s -> activate(s, true)))
        .map(g -> g.times(0.4))
        .toList();
  }

  private static Generator codedInEveryDtype(String name, boolean rms) {
    return Generator.of(
        name, s -> coded(s, rms, true).in(FLOATS[(int) (s % FLOATS.length)], Set.of("scales")));
  }

  private static Generator inSomeDtype(String name, LongFunction<Case> one) {
    return Generator.of(name, s -> one.apply(s).inSomeDtype(Seeds.random(~s), "weight", "bias"));
  }

  /** Values as they come: normal ones, now and then large, tiny, shifted or not numbers. */
  private static Data values(Random random, String name, long rows, long columns) {
    double scale = new double[] {1, 1, 1, 30, 1e-3, 1e15}[random.nextInt(6)];
    double shift = random.nextInt(5) == 0 ? 1000 : 0;
    Data data = Data.input(random, name, r -> shift + scale * r.nextGaussian(), rows, columns);
    return random.nextInt(6) > 0
        ? data
        : data.with(
            random,
            new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0}
                [random.nextInt(4)]);
  }

  private static long columns(Random random, boolean vectors) {
    long columns = random.nextInt(4) == 0 ? 500 + random.nextInt(800) : Sizes.any(random, 100);
    return vectors ? Math.ceilDiv(columns + 1, VECTOR) * VECTOR : columns;
  }

  private static Case layerNorm(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = columns(random, vectors);
    List<Data> data = new ArrayList<>();
    Data x = values(random, "x", rows, columns);
    boolean inPlace = random.nextBoolean();
    data.add(inPlace ? x.inPlace() : x);
    if (!inPlace) {
      data.add(Data.output("y", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(values(random, "residual", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "weight", columns));
      data.add(Data.normal(random, "bias", columns));
      if (seed % 4 == 0) {
        data.remove(data.size() - 1 - (int) (seed / 4 % 2));
      }
    }
    if (random.nextBoolean()) {
      data.add(Data.output("sum", rows, columns));
    }
    float eps = random.nextBoolean() ? 1e-5f : 1e-12f;
    return Case.of(
        "layer_norm seed %d eps %s%s".formatted(seed, eps, inPlace ? " in place" : ""),
        data,
        of ->
            new LayerNorm(
                of.apply("x"),
                of.apply("residual"),
                of.apply("weight"),
                of.apply("bias"),
                eps,
                of.apply(inPlace ? "x" : "y"),
                of.apply("sum")));
  }

  private static Case rmsNorm(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = columns(random, vectors);
    boolean inPlace = random.nextBoolean();
    List<Data> data = new ArrayList<>();
    Data x = values(random, "x", rows, columns);
    data.add(inPlace ? x.inPlace() : x);
    data.add(Data.normal(random, "weight", columns));
    if (!inPlace) {
      data.add(Data.output("y", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(values(random, "residual", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("sum", rows, columns));
    }
    float shift = random.nextInt(2);
    return Case.of(
        "rms_norm seed %d shift %s%s".formatted(seed, shift, inPlace ? " in place" : ""),
        data,
        of ->
            new RmsNorm(
                of.apply("x"),
                of.apply("residual"),
                of.apply("weight"),
                shift,
                1e-6f,
                of.apply(inPlace ? "x" : "y"),
                of.apply("sum")));
  }

  /**
   * A norm whose results are codes too, or alone. In F32, where a rounding moves a code by one at
   * most; {@code TokenCodesTest} has the other types.
   */
  private static Case coded(long seed, boolean rms, boolean vectors) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = columns(random, vectors);
    boolean calibrated = random.nextBoolean();
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", rows, columns));
    data.add(Data.normal(random, "weight", columns));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "residual", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("y", rows, columns));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("sum", rows, columns));
    }
    Data codes = QuantizedCases.bytes("codes", null, rows, columns);
    data.add(random.nextBoolean() ? codes.spread(random) : codes);
    data.add(
        calibrated
            ? Data.input(random, "scales", r -> 0.01 + 0.03 * r.nextDouble(), 1)
            : Data.output("scales", rows));
    return Case.of(
        "%s seed %d codes%s"
            .formatted(rms ? "rms_norm" : "layer_norm", seed, calibrated ? " calibrated" : ""),
        data,
        of -> norm(of, rms, QuantizedCases.codes(of, calibrated)));
  }

  /** A norm of the operands that there are. */
  public static KernelCall norm(Function<String, Operand> of, boolean rms, TokenCodes codes) {
    Operand x = of.apply("x");
    Operand residual = of.apply("residual");
    Operand weight = of.apply("weight");
    Operand y = of.apply("y");
    Operand sum = of.apply("sum");
    return rms
        ? new RmsNorm(x, residual, weight, 0, 1e-6f, y, sum, codes)
        : new LayerNorm(x, residual, weight, of.apply("bias"), 1e-5f, y, sum, codes);
  }

  private static Case gated(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    Activation activation = Activation.values()[(int) (seed % Activation.values().length)];
    long rows = Sizes.any(random, 33);
    long columns = columns(random, vectors);
    Data gate = Data.normal(random, "gate", rows, columns);
    Data up = values(random, "up", rows, columns);
    return Case.of(
        "gated_activation seed %d %s".formatted(seed, activation),
        List.of(
            !vectors && random.nextBoolean() ? gate.spread(random) : gate,
            !vectors && random.nextBoolean() ? up.spread(random) : up,
            Data.output("y", rows, columns)),
        of -> new GatedActivation(of.apply("gate"), of.apply("up"), activation, of.apply("y")));
  }

  private static Case softmax(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    boolean log = random.nextBoolean();
    long rows = Sizes.any(random, 33);
    Data x = values(random, "x", rows, columns(random, vectors));
    return Case.of(
        "softmax seed %d%s".formatted(seed, log ? " log" : ""),
        List.of(x, Data.output("y", x.shape())),
        of -> new Softmax(of.apply("x"), log, of.apply("y")));
  }

  private static Case crossEntropy(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    DType dtype = new DType[] {DType.F32, DType.BF16, DType.F16}[random.nextInt(3)];
    Data logits =
        values(random, "logits", rows, Math.max(1, columns(random, false))).withDtype(dtype);
    Data targets = Data.ids(random, "targets", logits.shape()[1], rows).with(random, -100);
    return Case.of(
        "cross_entropy seed %d %s".formatted(seed, dtype),
        List.of(logits, targets, Data.output("loss", rows)),
        of ->
            new CrossEntropy(
                of.apply("logits"),
                Indices.unchecked(of.apply("targets")),
                -100,
                of.apply("loss")));
  }

  private static Case l2Normalize(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    Data x = values(random, "x", Sizes.any(random, 33), columns(random, vectors)).inPlace();
    return Case.of(
        "l2_normalize seed " + seed,
        List.of(x),
        of -> new L2Normalize(of.apply("x"), 1e-12f, of.apply("x")));
  }

  private static Case activate(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    Activation activation = Activation.values()[(int) (seed % Activation.values().length)];
    long rows = Sizes.any(random, 33);
    Data x = Data.input(random, "x", r -> 4 * r.nextGaussian(), rows, columns(random, vectors));
    x = x.with(random, 0, -0.0, 20, -20, 88, -88, 100, -100, 1e-30, 1e30, Double.NaN);
    return Case.of(
        "activation seed %d %s".formatted(seed, activation),
        List.of(x, Data.output("y", x.shape())),
        of -> new Activate(of.apply("x"), activation, of.apply("y")));
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad("softmax: x is missing", () -> new Softmax(null, false, Y)),
        bad(
            "softmax: x is I64[4, 8], expected F32",
            () -> new Softmax(Operand.of(IN, DType.I64, 4, 8), false, Y)),
        bad("softmax: x is F32[8], expected 2 axes", () -> new Softmax(of(IN, 8), false, Y)),
        bad(
            "softmax: y is F32[4, 8], expected shape [4, 9]",
            () -> new Softmax(of(IN, 4, 9), false, Y)),
        bad(
            "softmax: x F32[4, 8] has strides [9, 1], expected row-major without gaps",
            () ->
                new Softmax(
                    new Operand(IN, 0, DType.F32, new long[] {4, 8}, new long[] {9, 1}), false, Y)),
        bad(
            "softmax: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new Softmax(X, false, at(IN, 8, 4, 8))),
        bad("activation: activation is missing", () -> new Activate(X, null, Y)),
        bad(
            "layer_norm: eps is -1.0, expected 0 or more",
            () -> new LayerNorm(X, null, null, null, -1, Y, null)),
        bad("layer_norm: y is missing", () -> new LayerNorm(X, null, null, null, 0, null, null)),
        bad(
            "layer_norm: codes is I8[4, 7], expected shape [4, 8]",
            () -> new LayerNorm(X, null, null, null, 0, Y, null, codes(4, 7))),
        bad(
            "layer_norm: outputs F32[4, 8] and I8[4, 8] overlap in memory",
            () -> new LayerNorm(X, null, null, null, 0, Y, null, codes(4, 8))),
        bad(
            "rms_norm: codes is I8[5, 8], expected shape [4, 8]",
            () -> new RmsNorm(X, null, of(IN, 8), 0, 0, Y, null, codes(5, 8))),
        bad(
            "layer_norm: eps is NaN, expected 0 or more",
            () -> new LayerNorm(X, null, null, null, Float.NaN, Y, null)),
        bad(
            "layer_norm: weight is F32[9], expected shape [8]",
            () -> new LayerNorm(X, null, at(IN, 64, 9), null, 0, Y, null)),
        bad(
            "layer_norm: outputs F32[4, 8] and F32[4, 8] overlap in memory",
            () -> new LayerNorm(X, null, null, null, 0, Y, Y)),
        bad(
            "layer_norm: weight is F16[8], expected F32 or BF16",
            () -> {
              Operand x = Operand.of(IN, DType.BF16, 4, 8);
              Operand weight = Operand.of(IN, DType.F16, 8);
              return new LayerNorm(
                  x, null, weight, null, 0, Operand.of(OUT, DType.BF16, 4, 8), null);
            }),
        bad(
            "layer_norm: y is F32[4, 8], expected BF16",
            () -> new LayerNorm(Operand.of(IN, DType.BF16, 4, 8), null, null, null, 0, Y, null)),
        bad(
            "layer_norm: bias is F32[8], expected BF16 as the weight",
            () -> {
              Operand x = Operand.of(IN, DType.BF16, 4, 8);
              Operand weight = Operand.of(IN, DType.BF16, 8);
              return new LayerNorm(
                  x, null, weight, of(IN, 8), 0, Operand.of(OUT, DType.BF16, 4, 8), null);
            }),
        bad(
            "rms_norm: residual is F32[4, 8], expected F16",
            () -> {
              Operand x = Operand.of(IN, DType.F16, 4, 8);
              Operand y = Operand.of(OUT, DType.F16, 4, 8);
              return new RmsNorm(x, X, of(IN, 8), 0, 0, y, null);
            }),
        bad(
            "gated_activation: up is BF16[4, 8], expected F32",
            () -> new GatedActivation(X, Operand.of(IN, DType.BF16, 4, 8), Activation.SILU, Y)),
        bad("l2_normalize: eps is -0.5", () -> new L2Normalize(X, -0.5f, Y)),
        bad(
            "cross_entropy: logits is I64[4, 8], expected F32, BF16 or F16",
            () -> new CrossEntropy(Operand.of(IN, DType.I64, 4, 8), ids(4), -100, of(OUT, 4))),
        bad(
            "cross_entropy: loss is BF16[4], expected F32",
            () -> new CrossEntropy(X, ids(4), -100, Operand.of(OUT, DType.BF16, 4))),
        bad(
            "cross_entropy: loss is F32[4, 8], expected 1 axes",
            () -> new CrossEntropy(X, ids(4), -100, Y)));
  }

  /** Codes at the begin of what Y lies in. */
  private static TokenCodes codes(long rows, long columns) {
    Operand scales = new Operand(OUT, 1024, DType.F32, new long[] {rows}, new long[] {1});
    return new TokenCodes(
        Operand.of(OUT, DType.I8, rows, columns), new ActivationCodes(scales, null), false);
  }
}
