package dev.gatun.test.contract;

import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Random products with every activation, gaps between rows, and deep sums. */
final class MatmulCases {
  private MatmulCases() {}

  static Stream<Case> cases(long seed, int count) {
    return LongStream.range(seed, seed + count)
        .boxed()
        .flatMap(s -> Stream.of(pack(s), matmul(s), batched(s)));
  }

  private static Case pack(long seed) {
    Random random = new Random(seed);
    long n = Sizes.any(random, 100);
    long k = Sizes.any(random, 100);
    Data weight = Data.normal(random, "weight", n, k);
    weight = random.nextBoolean() ? weight.spread(random) : weight.withStrides(1, Math.max(1, n));
    return Case.exact(
        "matmul_pack seed " + seed,
        List.of(weight, Data.output("packed", MatmulPack.packedCount(n, k))),
        of -> new MatmulPack(of.apply("weight"), of.apply("packed")));
  }

  private static Case matmul(long seed) {
    Random random = new Random(seed);
    long m = Sizes.any(random, 100);
    long n = Sizes.any(random, 100);
    // Now and then deeper than a block along k, or more rows than a block of rows.
    long k = random.nextInt(5) == 0 ? 500 + random.nextInt(600) : Sizes.any(random, 100);
    m = random.nextInt(8) == 0 ? 115 + random.nextInt(20) : m;
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", m, k));
    data.add(packed(random, n, k));
    data.add(Data.output("y", m, n));
    if (random.nextBoolean()) {
      data.set(0, data.get(0).spread(random));
      data.set(2, data.get(2).spread(random));
    }
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    if (random.nextInt(6) == 0) {
      data.set(0, data.get(0).with(random, Double.NaN, Double.POSITIVE_INFINITY, 1e30));
    }
    return Case.of(
        "matmul seed %d %s".formatted(seed, activation),
        data,
        of ->
            new Matmul(
                of.apply("x"), of.apply("packed"), of.apply("bias"), activation, of.apply("y")));
  }

  /** A packed weight: random, and zero past the last feature. */
  private static Data packed(Random random, long n, long k) {
    Data data = Data.normal(random, "packed", MatmulPack.packedCount(n, k));
    for (int i = 0; i < data.count(); i++) {
      long feature = i / (MatmulPack.PANEL * k) * MatmulPack.PANEL + i % MatmulPack.PANEL;
      if (feature >= n) {
        data.values()[i] = 0;
      }
    }
    return data;
  }

  private static Case batched(long seed) {
    Random random = new Random(seed);
    long batch = Sizes.any(random, 4);
    long m = Sizes.any(random, 65);
    long n = Sizes.any(random, 65);
    long k = Sizes.any(random, 100);
    Data a = Data.normal(random, "a", batch, m, k);
    Data b = Data.normal(random, "b", batch, n, k);
    return Case.of(
        "batched_matmul seed " + seed,
        List.of(
            random.nextBoolean() ? a.spread(random) : a,
            random.nextBoolean() ? b.spread(random) : b,
            Data.output("c", batch, m, n)),
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("c")));
  }
}
