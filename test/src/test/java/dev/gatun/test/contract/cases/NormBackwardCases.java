package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.at;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Gradients of norms and of softmax, in place and not, with some of the results or all. */
final class NormBackwardCases {
  private static final DType[] FLOATS = {DType.F32, DType.F32, DType.BF16, DType.F16};

  private NormBackwardCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("layer_norm_backward", s -> norm(s, false)),
        Generator.of("rms_norm_backward", s -> norm(s, true)),
        Generator.of("softmax_backward", NormBackwardCases::softmax));
  }

  /** Normal values, now and then large, tiny, far from 0 or not numbers. */
  private static Data values(Random random, String name, long rows, long columns) {
    double scale = new double[] {1, 1, 1, 30, 1e-3, 1e15}[random.nextInt(6)];
    double shift = random.nextInt(5) == 0 ? 1000 : 0;
    Data data = Data.input(random, name, r -> shift + scale * r.nextGaussian(), rows, columns);
    return random.nextInt(6) > 0
        ? data
        : data.with(random, random.nextBoolean() ? Double.NaN : Double.POSITIVE_INFINITY);
  }

  private static Case norm(long seed, boolean rms) {
    Random random = Seeds.random(seed);
    // Now and then more rows than one chunk has.
    boolean many = random.nextInt(4) == 0;
    long rows = many ? 100 + random.nextInt(1200) : Sizes.any(random, 33);
    long columns = !many && random.nextInt(4) == 0 ? 500 + random.nextInt(800) : size(random, many);
    int results = 1 + random.nextInt(rms ? 3 : 7);
    boolean dx = (results & 1) > 0;
    boolean dyInPlace = dx && random.nextInt(3) == 0;
    boolean addedInPlace = dx && !dyInPlace && random.nextInt(3) == 0;
    Set<String> kept = new HashSet<>(Set.of("dweight", "dbias"));
    List<Data> data = new ArrayList<>();
    Data dy =
        random.nextInt(6) == 0
            ? values(random, "dy", rows, columns)
            : Data.normal(random, "dy", rows, columns);
    data.add(dyInPlace ? dy.inPlace() : dy);
    data.add(values(random, "x", rows, columns));
    if (rms || random.nextBoolean()) {
      data.add(Data.normal(random, "weight", columns));
      if (random.nextBoolean()) {
        kept.add("weight");
      }
    }
    if (addedInPlace || random.nextBoolean()) {
      Data added = Data.normal(random, "added", rows, columns);
      data.add(addedInPlace ? added.inPlace() : added);
    }
    String to = !dx ? "none" : dyInPlace ? "dy" : addedInPlace ? "added" : "dx";
    if (to.equals("dx")) {
      data.add(Data.output("dx", rows, columns));
    }
    if ((results & 2) > 0) {
      data.add(Data.output("dweight", columns));
    }
    if ((results & 4) > 0) {
      data.add(Data.output("dbias", columns));
    }
    float eps = random.nextBoolean() ? 1e-5f : 1e-12f;
    float shift = random.nextInt(2);
    String name = rms ? "rms_norm_backward" : "layer_norm_backward";
    return Case.of(
            "%s seed %d eps %s shift %s into %s".formatted(name, seed, eps, shift, to),
            data,
            of ->
                rms
                    ? new RmsNormBackward(
                        of.apply("dy"),
                        of.apply("x"),
                        of.apply("weight"),
                        shift,
                        eps,
                        of.apply("added"),
                        of.apply(to),
                        of.apply("dweight"))
                    : new LayerNormBackward(
                        of.apply("dy"),
                        of.apply("x"),
                        of.apply("weight"),
                        eps,
                        of.apply("added"),
                        of.apply(to),
                        of.apply("dweight"),
                        of.apply("dbias")))
        .in(FLOATS[random.nextInt(FLOATS.length)], kept);
  }

  private static long size(Random random, boolean many) {
    return many ? Sizes.any(random, 33) : Sizes.any(random, 100);
  }

  private static Case softmax(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = random.nextInt(4) == 0 ? 500 + random.nextInt(800) : Sizes.any(random, 100);
    boolean log = random.nextBoolean();
    String to = new String[] {"dy", "y", "dx"}[random.nextInt(3)];
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "dy", rows, columns));
    Data y =
        Data.input(
            random,
            "y",
            r -> log ? -Math.abs(5 * r.nextGaussian()) : r.nextDouble() / Math.max(1, columns),
            rows,
            columns);
    data.add(
        random.nextInt(6) > 0
            ? y
            : y.with(random, 0, log ? Double.NEGATIVE_INFINITY : 1, Double.NaN));
    data.replaceAll(d -> d.name().equals(to) ? d.inPlace() : d);
    if (to.equals("dx")) {
      data.add(Data.output("dx", rows, columns));
    }
    return Case.of(
            "softmax_backward seed %d%s into %s".formatted(seed, log ? " log" : "", to),
            data,
            of -> new SoftmaxBackward(of.apply("dy"), of.apply("y"), log, of.apply(to)))
        .in(FLOATS[random.nextInt(FLOATS.length)], Set.of());
  }

  static List<BadCall> badCalls() {
    Operand x = at(IN, 64, 4, 8);
    return List.of(
        bad(
            "layer_norm_backward: dx, dweight and dbias are missing, expected one of them",
            () -> new LayerNormBackward(X, x, null, 0, null, null, null, null)),
        bad(
            "layer_norm_backward: eps is NaN, expected 0 or more",
            () -> new LayerNormBackward(X, x, null, Float.NaN, null, Y, null, null)),
        bad(
            "layer_norm_backward: dbias is F32[7], expected shape [8]",
            () -> new LayerNormBackward(X, x, null, 0, null, null, null, of(OUT, 7))),
        bad(
            "layer_norm_backward: output F32[4, 8] overlaps input F32[4, 8] in memory",
            () -> new LayerNormBackward(X, x, null, 0, null, x, null, null)),
        bad(
            "rms_norm_backward: dx and dweight are missing, expected one of them",
            () -> new RmsNormBackward(X, x, of(IN, 8), 0, 0, null, null, null)),
        bad(
            "rms_norm_backward: eps is 0.0 and shift Infinity, expected 0 or more, and finite",
            () -> new RmsNormBackward(X, x, of(IN, 8), 1 / 0f, 0, null, Y, null)),
        bad(
            "rms_norm_backward: x is F32[3, 8], expected shape [4, 8]",
            () -> new RmsNormBackward(X, at(IN, 64, 3, 8), of(IN, 8), 0, 0, null, Y, null)),
        bad("softmax_backward: dx is missing", () -> new SoftmaxBackward(X, x, false, null)),
        bad(
            "softmax_backward: y is F32[4, 7], expected shape [4, 8]",
            () -> new SoftmaxBackward(X, at(IN, 64, 4, 7), false, Y)));
  }
}
