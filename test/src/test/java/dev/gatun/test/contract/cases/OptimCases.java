package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntFunction;

/** Steps of every optimiser over lists of parameters of any sizes, and norms of such lists. */
final class OptimCases {
  private static final List<UpdateRule> RULES =
      List.of(
          new UpdateRule.Sgd(0, 0, false),
          new UpdateRule.Sgd(0.9, 0.1, false),
          new UpdateRule.Sgd(0.9, 0, true),
          new UpdateRule.Adam(0.9, 0.999, 1e-8, false, true),
          new UpdateRule.Adam(0.9, 0.95, 1e-6, true, true),
          new UpdateRule.Adam(0.8, 0.99, 1e-8, false, false),
          new UpdateRule.Adagrad(0.01, 1e-10),
          new UpdateRule.RmsProp(0.99, 1e-8, 0, false),
          new UpdateRule.RmsProp(0.9, 1e-4, 0, true),
          new UpdateRule.RmsProp(0.99, 1e-8, 0.5, false),
          new UpdateRule.RmsProp(0.9, 1e-4, 0.5, true),
          new UpdateRule.Adadelta(0.9, 1e-6));

  private OptimCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("global_norm", OptimCases::globalNorm),
        Generator.of("adafactor_step", OptimCases::adafactor),
        Generator.of("optimizer_step", s -> step(s, false)),
        Generator.of("optimizer_step-clipped", s -> step(s, true)));
  }

  /** Now and then longer than what a task or a block has. */
  private static long length(Random random) {
    return random.nextInt(12) == 0 ? 16_380 + random.nextInt(1000) : Sizes.any(random, 100);
  }

  private static Case globalNorm(long seed) {
    Random random = Seeds.random(seed);
    // Now and then more than a launch takes.
    int count = random.nextInt(15) == 0 ? 125 + random.nextInt(10) : Sizes.any(random, 9);
    List<Data> data = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long length = count > 100 ? random.nextInt(4) : length(random);
      Data gradient = Data.normal(random, "gradient" + i, length);
      data.add(
          random.nextInt(30) > 0
              ? gradient
              : gradient.with(
                  random, random.nextBoolean() ? Double.NaN : Double.NEGATIVE_INFINITY));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("norms", count));
    }
    data.add(Data.output("norm", 1));
    float scale = random.nextBoolean() ? 1 : 1 / 1024f;
    return Case.of(
        "global_norm seed %d of %d".formatted(seed, count),
        data,
        of -> {
          List<Operand> gradients = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            gradients.add(of.apply("gradient" + i));
          }
          return new GlobalNorm(gradients, scale, of.apply("norms"), of.apply("norm"));
        });
  }

  private static Case step(long seed, boolean clipped) {
    Random random = Seeds.random(seed);
    UpdateRule rule = RULES.get((int) Math.floorMod(seed, (long) RULES.size()));
    int count = random.nextInt(15) == 0 ? 30 + random.nextInt(6) : Sizes.any(random, 4);
    DType copies = new DType[] {null, DType.BF16, DType.F16}[random.nextInt(3)];
    List<Data> data = new ArrayList<>();
    double[] rates = new double[count];
    double[] decays = new double[count];
    for (int i = 0; i < count; i++) {
      long length = count > 10 ? random.nextInt(40) : length(random);
      rates[i] = 0.1 * random.nextDouble();
      decays[i] = random.nextBoolean() ? 0 : 0.1 * random.nextDouble();
      data.add(Data.normal(random, "parameter" + i, length).inPlace());
      Data gradient = Data.normal(random, "gradient" + i, length);
      // The largest of moments keeps what is no number.
      boolean strange = random.nextInt(rule.states().size() > 2 ? 2 : 9) == 0;
      data.add(strange ? gradient.with(random, Double.NaN, 0, -0.0, 1e-20) : gradient);
      for (String state : rule.states()) {
        data.add(state(random, state, i, length));
      }
      if (copies != null && random.nextInt(4) > 0) {
        data.add(Data.output("copy" + i, length).withDtype(copies));
      }
    }
    // The least norms are clipped by less than what is added to them.
    double[] norms = {0, 0.5, 3, 1e6, 2e-6, Double.NaN, Double.POSITIVE_INFINITY};
    int which = (int) Math.floorMod(seed, (long) norms.length);
    if (clipped) {
      data.add(Data.vector("norm", DType.F32, norms[which]));
    }
    float scale = random.nextBoolean() ? 1 : 1 / 64f;
    float most =
        !clipped || random.nextInt(4) == 0
            ? Float.POSITIVE_INFINITY
            : norms[which] == 2e-6 ? 1e-6f : 1;
    long step = 1 + random.nextInt(random.nextBoolean() ? 3 : 1000);
    Case c =
        Case.of(
            "optimizer_step seed %d step %d of %d: %s".formatted(seed, step, count, rule),
            data,
            of -> step(of, rule, step, rates, decays, scale, most));
    return c.likeItself();
  }

  /** Matrices, vectors and stacks of matrices of any sizes, now and then beyond a block's. */
  private static long[] shape(Random random, boolean many) {
    if (many) {
      return new long[] {random.nextInt(4), random.nextInt(5)};
    }
    if (random.nextInt(10) == 0) {
      return random.nextBoolean() ? new long[] {4000 + random.nextInt(300)} : longMatrix(random);
    }
    long[] shape = new long[random.nextInt(4)];
    for (int axis = 0; axis < shape.length; axis++) {
      shape[axis] = Sizes.any(random, shape.length == 3 ? 9 : 40);
    }
    return shape;
  }

  private static long[] longMatrix(Random random) {
    long shorter = 1 + random.nextInt(20);
    long longer = 250 + random.nextInt(50);
    return random.nextBoolean() ? new long[] {shorter, longer} : new long[] {longer, shorter};
  }

  private static Case adafactor(long seed) {
    Random random = Seeds.random(seed);
    AdafactorRule rule =
        new AdafactorRule(
            random.nextInt(3) == 0 ? 1e-3 : 1e-30,
            random.nextInt(4) == 0 ? 3 : 1e-3,
            random.nextBoolean() ? 1 : 0.1,
            -0.8,
            random.nextInt(3) == 0 ? 0.9 : 0,
            random.nextInt(3) > 0);
    // Now and then more than a launch takes.
    int count = random.nextInt(15) == 0 ? 22 + random.nextInt(6) : Sizes.any(random, 4);
    DType copies = new DType[] {null, DType.BF16, DType.F16}[random.nextInt(3)];
    List<Data> data = new ArrayList<>();
    List<List<String>> states = new ArrayList<>();
    double[] rates = new double[count];
    double[] decays = new double[count];
    for (int i = 0; i < count; i++) {
      int own = i;
      long[] shape = shape(random, count > 10);
      rates[i] = 0.1 * random.nextDouble();
      decays[i] = random.nextBoolean() ? 0 : 0.1 * random.nextDouble();
      data.add(Data.normal(random, "parameter" + i, shape).inPlace());
      Data gradient = Data.normal(random, "gradient" + i, shape);
      data.add(random.nextInt(9) > 0 ? gradient : gradient.with(random, Double.NaN, 0, -0.0, 1e-9));
      rule.states(shape).forEach((name, of) -> data.add(state(random, name, own, of)));
      states.add(List.copyOf(rule.states(shape).keySet()));
      if (copies != null && random.nextInt(4) > 0) {
        data.add(Data.output("copy" + i, shape).withDtype(copies));
      }
    }
    boolean clipped = random.nextBoolean();
    if (clipped) {
      double norm = new double[] {0, 0.5, 3, 1e6, Double.NaN}[random.nextInt(5)];
      data.add(Data.vector("norm", DType.F32, norm));
    }
    float scale = random.nextBoolean() ? 1 : 1 / 64f;
    float most = !clipped || random.nextInt(4) == 0 ? Float.POSITIVE_INFINITY : 1;
    long step = 1 + random.nextInt(random.nextBoolean() ? 3 : 1000);
    Case c =
        Case.of(
            "adafactor_step seed %d step %d of %d: %s".formatted(seed, step, count, rule),
            data,
            of ->
                new AdafactorStep(
                    rule,
                    step,
                    parameters(of, rates, decays, states::get),
                    scale,
                    of.apply("norm"),
                    most));
    return c.likeItself();
  }

  /** Means of squares are not negative, and those of gradients no larger than their roots. */
  private static Data state(Random random, String name, int i, long... shape) {
    boolean squares = name.contains("sq") || name.equals("sum") || name.equals("acc_delta");
    return Data.input(
            random,
            name + i,
            r -> squares ? 0.3 + r.nextDouble() : 0.5 * r.nextDouble() - 0.25,
            shape)
        .inPlace();
  }

  private static KernelCall step(
      Function<String, Operand> of,
      UpdateRule rule,
      long step,
      double[] rates,
      double[] decays,
      float scale,
      float most) {
    List<ParameterUpdate> parameters = parameters(of, rates, decays, i -> rule.states());
    return new OptimizerStep(rule, step, parameters, scale, of.apply("norm"), most);
  }

  private static List<ParameterUpdate> parameters(
      Function<String, Operand> of,
      double[] rates,
      double[] decays,
      IntFunction<List<String>> states) {
    List<ParameterUpdate> parameters = new ArrayList<>();
    for (int i = 0; i < rates.length; i++) {
      int own = i;
      parameters.add(
          new ParameterUpdate(
              of.apply("parameter" + i),
              of.apply("gradient" + i),
              states.apply(i).stream().map(name -> of.apply(name + own)).toList(),
              of.apply("copy" + i),
              rates[i],
              decays[i]));
    }
    return parameters;
  }
}
