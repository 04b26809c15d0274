package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.loss.CrossEntropy;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Rows that are too long to be kept, up to and past the vocabularies that models have, of lengths
 * around the borders of vectors and at any alignment.
 */
final class LongRowCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  // Rows that a block of threads keeps end at 4,096 or 8,192 numbers on CUDA.
  private static final int[] LENGTHS = {4096, 8192, 16384, 32000, 50257, 128256, 131072};

  // Of 16 bytes.
  private static final int KEPT_VECTORS = 1024;

  private LongRowCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("softmax-long", LongRowCases::softmax).times(0.5),
        Generator.of("cross_entropy-long", LongRowCases::crossEntropy).times(0.25),
        Generator.of("layer_norm-long", LongRowCases::layerNorm).times(0.125),
        Generator.of("rms_norm-long", LongRowCases::rmsNorm).times(0.125));
  }

  /** Rows as long as a block of threads keeps, a vector shorter and a vector longer. */
  static List<Generator> tiles() {
    return List.of(
        Generator.of("layer_norm-kept", seed -> kept(seed, false)).times(0.6),
        Generator.of("rms_norm-kept", seed -> kept(seed, true)).times(0.6));
  }

  private static Case kept(long seed, boolean rms) {
    Random random = Seeds.random(seed);
    DType dtype = FLOATS[(int) Math.floorMod(seed / 3, 3L)];
    int vector = 16 / dtype.bytes();
    long columns = KEPT_VECTORS * vector + (Math.floorMod(seed, 3L) - 1) * vector;
    boolean coded = random.nextBoolean();
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", 1, columns));
    data.add(Data.normal(random, "weight", columns));
    data.add(Data.output("y", 1, columns));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "residual", 1, columns));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("sum", 1, columns));
    }
    if (!rms && random.nextBoolean()) {
      data.add(Data.normal(random, "bias", columns));
    }
    if (coded) {
      data.add(QuantizedCases.bytes("codes", null, 1, columns));
      data.add(Data.output("scales", 1));
    }
    String name = rms ? "rms_norm" : "layer_norm";
    return Case.of(
            "%s seed %d kept%s".formatted(name, seed, coded ? " codes" : ""),
            data,
            of -> RowCases.norm(of, rms, coded ? QuantizedCases.codes(of, false) : null))
        .in(dtype, Set.of("scales"));
  }

  private static long length(Random random) {
    return LENGTHS[random.nextInt(LENGTHS.length)] + random.nextInt(-9, 10);
  }

  /** Where the maximum grows late, early or never, and where a part is masked. */
  private static Data values(Random random, String name, long rows, long columns) {
    int kind = random.nextInt(5);
    Data data =
        Data.placed(
            random,
            name,
            (r, i) -> {
              double at = i % columns / (double) columns;
              return switch (kind) {
                case 0 -> 20 * at + r.nextGaussian();
                case 1 -> -20 * at + r.nextGaussian();
                case 2 -> at < 0.7 ? Double.NEGATIVE_INFINITY : r.nextGaussian();
                default -> 3 * r.nextGaussian();
              };
            },
            rows,
            columns);
    return random.nextInt(8) > 0 ? data : data.with(random, Double.NaN);
  }

  private static Case softmax(long seed) {
    Random random = Seeds.random(seed);
    boolean log = random.nextBoolean();
    boolean inPlace = random.nextBoolean();
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    Data x = values(random, "x", 1 + random.nextInt(2), length(random)).withDtype(dtype);
    Data y = Data.output("y", x.shape()).withDtype(dtype);
    return Case.of(
        "softmax seed %d %s long%s%s"
            .formatted(seed, dtype, log ? " log" : "", inPlace ? " in place" : ""),
        inPlace ? List.of(x.inPlace()) : List.of(x, y),
        of -> new Softmax(of.apply("x"), log, of.apply(inPlace ? "x" : "y")));
  }

  private static Case crossEntropy(long seed) {
    Random random = Seeds.random(seed);
    long rows = 1 + random.nextInt(2);
    DType dtype = FLOATS[random.nextInt(FLOATS.length)];
    Data logits = values(random, "logits", rows, length(random)).withDtype(dtype);
    Data targets = Data.ids(random, "targets", logits.shape()[1], rows);
    return Case.of(
        "cross_entropy seed %d %s long".formatted(seed, dtype),
        List.of(logits, targets, Data.output("loss", rows)),
        of ->
            new CrossEntropy(
                of.apply("logits"),
                Indices.unchecked(of.apply("targets")),
                -100,
                of.apply("loss")));
  }

  private static Case rmsNorm(long seed) {
    Random random = Seeds.random(seed);
    long columns = 16384 + random.nextInt(-9, 10);
    Data x = Data.normal(random, "x", 1, columns);
    return Case.of(
            "rms_norm seed %d long".formatted(seed),
            List.of(x, Data.normal(random, "weight", columns), Data.output("y", 1, columns)),
            of ->
                new RmsNorm(of.apply("x"), null, of.apply("weight"), 0, 1e-6f, of.apply("y"), null))
        .inSomeDtype(random, "weight");
  }

  private static Case layerNorm(long seed) {
    Random random = Seeds.random(seed);
    long columns = 16384 + random.nextInt(-9, 10);
    Data x = Data.normal(random, "x", 1, columns);
    return Case.of(
            "layer_norm seed %d long".formatted(seed),
            List.of(x, Data.normal(random, "weight", columns), Data.output("y", 1, columns)),
            of ->
                new LayerNorm(
                    of.apply("x"), null, of.apply("weight"), null, 1e-5f, of.apply("y"), null))
        .inSomeDtype(random, "weight");
  }
}
