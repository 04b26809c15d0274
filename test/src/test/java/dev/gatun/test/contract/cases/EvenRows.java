package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Seeds;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Layer norms of rows whose variance is next to nothing, or not where their mean is looked for, and
 * of rows whose gradient is.
 */
final class EvenRows {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  private EvenRows() {}

  /** Rows of one value each, long ones behind others, which say little of their mean. */
  private static Data even(Random random, long seed) {
    boolean few = Math.floorMod(seed / 3, 2L) == 0;
    double[] values = random.doubles(few ? 5 : 30, -2, 2).toArray();
    long columns = few ? 30_000 + random.nextInt(60_000) : 3 + random.nextInt(500);
    int others = few && random.nextInt(3) == 0 ? 256 : 0;
    double other = random.nextGaussian();
    return Data.placed(
        random,
        "x",
        (r, i) -> i % columns < others ? other : values[(int) (i / columns)],
        values.length,
        columns);
  }

  static Case forward(long seed) {
    Random random = Seeds.random(seed);
    Data x = even(random, seed);
    return Case.of(
            "layer_norm seed %d even rows".formatted(seed),
            List.of(x, Data.output("y", x.shape())),
            of ->
                new LayerNorm(
                    of.apply("x"), null, null, null, 1e-5f, of.apply("y"), of.apply("sum")))
        .in(FLOATS[(int) Math.floorMod(seed, 3L)], Set.of());
  }

  static Case backward(long seed) {
    Random random = Seeds.random(seed);
    Data x = even(random, seed);
    return Case.of(
            "layer_norm_backward seed %d even rows".formatted(seed),
            List.of(Data.normal(random, "dy", x.shape()), x, Data.output("dx", x.shape())),
            of ->
                new LayerNormBackward(
                    of.apply("dy"), of.apply("x"), null, 1e-5f, null, of.apply("dx"), null, null))
        .in(FLOATS[(int) Math.floorMod(seed, 3L)], Set.of());
  }

  /** A gradient of one value, which leaves nothing, of narrow elements with few digits each. */
  static Case level(long seed) {
    Random random = Seeds.random(seed);
    long rows = 1 + random.nextInt(30);
    long columns = 500 + random.nextInt(1000);
    double value = random.nextBoolean() ? 1000 : 999 - random.nextInt(100);
    double scale = Math.scalb(1e-3, random.nextInt(4));
    double shift = random.nextInt(3) * scale;
    return Case.of(
            "layer_norm_backward seed %d level of %s".formatted(seed, value),
            List.of(
                Data.input(random, "dy", r -> value, rows, columns),
                Data.input(random, "x", r -> shift + scale * r.nextGaussian(), rows, columns),
                Data.output("dx", rows, columns)),
            of ->
                new LayerNormBackward(
                    of.apply("dy"), of.apply("x"), null, 1e-12f, null, of.apply("dx"), null, null))
        .in(FLOATS[(int) Math.floorMod(seed, 3L)], Set.of());
  }
}
