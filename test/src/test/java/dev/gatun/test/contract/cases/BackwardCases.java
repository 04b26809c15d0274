package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Gradients of activations and of the cross-entropy, and dropout, in place and not. */
final class BackwardCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  private BackwardCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("activation_backward", BackwardCases::activation),
        Generator.of("gated_activation_backward", BackwardCases::gated),
        Generator.of("dropout", BackwardCases::dropout),
        Generator.of("cross_entropy_backward", BackwardCases::crossEntropy));
  }

  private static long columns(Random random) {
    return random.nextInt(4) == 0 ? 500 + random.nextInt(800) : Sizes.any(random, 100);
  }

  private static Activation activation(Random random) {
    return Activation.values()[random.nextInt(Activation.values().length)];
  }

  private static Case activation(long seed) {
    Random random = Seeds.random(seed);
    Activation activation = activation(random);
    long rows = Sizes.any(random, 33);
    long columns = columns(random);
    boolean inPlace = random.nextBoolean();
    Data x = Data.input(random, "x", r -> 4 * r.nextGaussian(), rows, columns);
    x = x.with(random, 0, -0.0, 20, -20, 88, -88, 100, -100, 1e-30, 1e30, Double.NaN);
    Data dy = Data.normal(random, "dy", rows, columns);
    List<Data> data = new ArrayList<>(List.of(x, inPlace ? dy.inPlace() : dy));
    if (!inPlace) {
      data.add(Data.output("dx", rows, columns));
    }
    return Case.of(
            "activation_backward seed %d %s".formatted(seed, activation),
            data,
            of ->
                new ActivationBackward(
                    of.apply("dy"), of.apply("x"), activation, of.apply(inPlace ? "dy" : "dx")))
        .in(FLOATS[random.nextInt(3)], Set.of());
  }

  private static Case gated(long seed) {
    Random random = Seeds.random(seed);
    Activation activation = activation(random);
    long rows = Sizes.any(random, 33);
    long columns = columns(random);
    boolean inPlace = random.nextInt(4) == 0;
    boolean spread = random.nextBoolean();
    List<Data> data = new ArrayList<>();
    for (String name : List.of("dy", "gate", "up")) {
      Data input = Data.normal(random, name, rows, columns);
      input = spread ? input.spread(random) : input;
      data.add(inPlace && !name.equals("dy") ? input.inPlace() : input);
    }
    for (String name : inPlace ? List.<String>of() : List.of("dgate", "dup")) {
      Data output = Data.output(name, rows, columns);
      data.add(spread ? output.spread(random) : output);
    }
    return Case.of(
            "gated_activation_backward seed %d %s".formatted(seed, activation),
            data,
            of ->
                new GatedActivationBackward(
                    of.apply("dy"),
                    of.apply("gate"),
                    of.apply("up"),
                    activation,
                    of.apply(inPlace ? "gate" : "dgate"),
                    of.apply(inPlace ? "up" : "dup")))
        .in(FLOATS[random.nextInt(3)], Set.of());
  }

  private static Case dropout(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = columns(random);
    float probability = new float[] {0, 0.1f, 0.5f, 0.99f}[random.nextInt(4)];
    Dropout dropout = new Dropout(probability, random.nextLong());
    boolean inPlace = random.nextBoolean();
    Data x = Data.normal(random, "x", rows, columns);
    x = random.nextInt(6) > 0 ? x : x.with(random, Double.NaN, Double.POSITIVE_INFINITY);
    return Case.of(
            "dropout seed %d of %s".formatted(seed, probability),
            inPlace ? List.of(x.inPlace()) : List.of(x, Data.output("y", rows, columns)),
            of -> new DropElements(of.apply("x"), dropout, of.apply(inPlace ? "x" : "y")))
        .in(FLOATS[random.nextInt(3)], Set.of());
  }

  private static Case crossEntropy(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.any(random, 33);
    long columns = Math.max(1, columns(random));
    DType dtype = FLOATS[random.nextInt(3)];
    double spread = random.nextInt(4) == 0 ? 30 : 2;
    boolean inPlace = random.nextBoolean();
    boolean gradient = inPlace || random.nextInt(4) > 0;
    float smoothing = random.nextBoolean() ? 0 : 0.1f;
    float zLoss = random.nextBoolean() ? 0 : 1e-3f;
    float scale = random.nextBoolean() ? 1 : 1 / 7f;
    Data logits =
        Data.input(random, "logits", r -> spread * r.nextGaussian(), rows, columns)
            .withDtype(dtype);
    List<Data> data = new ArrayList<>();
    data.add(inPlace ? logits.inPlace() : logits);
    data.add(Data.ids(random, "targets", columns, rows).with(random, -100));
    if (random.nextBoolean()) {
      data.add(Data.input(random, "weights", Random::nextDouble, rows));
    }
    if (gradient && !inPlace) {
      data.add(Data.output("dlogits", rows, columns).withDtype(dtype));
    }
    if (!gradient || random.nextBoolean()) {
      data.add(Data.output("loss", rows));
    }
    return Case.of(
        "cross_entropy_backward seed %d %s".formatted(seed, dtype),
        data,
        of ->
            new CrossEntropyBackward(
                of.apply("logits"),
                Indices.unchecked(of.apply("targets")),
                of.apply("weights"),
                -100,
                smoothing,
                zLoss,
                scale,
                of.apply(inPlace ? "logits" : "dlogits"),
                of.apply("loss")));
  }
}
