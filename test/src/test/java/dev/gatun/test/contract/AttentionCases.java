package dev.gatun.test.contract;

import dev.gatun.kernels.api.Causal;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Offsets;
import dev.gatun.kernels.api.ScaledDotProductAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Random attention: every mask kind, strides, ragged batches, grouped heads, extreme values. */
final class AttentionCases {
  private AttentionCases() {}

  static Stream<Case> cases(long seed, int count) {
    return LongStream.range(seed, seed + count).mapToObj(AttentionCases::one);
  }

  private static Case one(long seed) {
    Random random = new Random(seed);
    boolean ragged = random.nextBoolean();
    int batch = Sizes.any(random, 3);
    int kvHeads = 1 + random.nextInt(3);
    int heads = kvHeads * (1 + random.nextInt(3));
    int size = Sizes.any(random, 65);
    int valueSize = random.nextBoolean() ? size : Sizes.any(random, 65);
    Offsets queries = ragged ? Offsets.ofLengths(Sizes.lengths(random, batch, 100)) : null;
    Offsets keys = ragged ? Offsets.ofLengths(Sizes.lengths(random, batch, 100)) : null;
    long queryLength = ragged ? queries.longest() : Sizes.any(random, 100);
    long keyLength = ragged ? keys.longest() : Sizes.any(random, 100);
    Causal causal = Causal.values()[random.nextInt(3)];
    float scale = random.nextInt(8) == 0 ? 3 : 1 / (float) Math.sqrt(Math.max(1, size));

    List<Data> data = new ArrayList<>();
    data.add(vectors(random, "query", queries, batch, queryLength, heads, size));
    data.add(vectors(random, "key", keys, batch, keyLength, kvHeads, size));
    data.add(vectors(random, "value", keys, batch, keyLength, kvHeads, valueSize));
    Data output = Data.output("output", shape(queries, batch, queryLength, heads, valueSize));
    data.add(random.nextBoolean() ? output.spread(random) : output);
    boolean masked = random.nextBoolean();
    if (masked) {
      double blind = random.nextInt(4) == 0 ? 1 : 0.3;
      data.add(
          Data.input("mask", () -> random.nextDouble() < blind ? 0 : 1, batch, keyLength)
              .withDtype(DType.U8));
    }
    boolean biased = random.nextBoolean();
    if (biased) {
      double low = random.nextBoolean() ? -1e9 : Double.NEGATIVE_INFINITY;
      boolean additive = random.nextBoolean();
      long[] shape = {batch, heads, queryLength, keyLength};
      for (int axis = 0; axis < 4; axis++) {
        shape[axis] = random.nextBoolean() ? 1 : shape[axis];
      }
      data.add(
          Data.input(
              "bias",
              () -> additive && random.nextInt(3) == 0 ? low : random.nextGaussian(),
              shape));
    }
    if (random.nextBoolean()) {
      data.add(Data.output("lse", batch, heads, queryLength));
    }
    if (random.nextInt(3) == 0) {
      data.add(Data.output("weights", batch, heads, queryLength, keyLength));
    }
    if (random.nextInt(6) == 0) {
      double special =
          new double[] {Double.NaN, Double.POSITIVE_INFINITY, 1e30, 1e-40}[random.nextInt(4)];
      // A masked key or value with NaN must not be seen, so those are tried in every place.
      int which = biased ? 0 : random.nextInt(3);
      data.set(which, data.get(which).with(random, special));
    }
    return Case.of(
        "scaled_dot_product_attention seed %d %s%s scale %s"
            .formatted(seed, causal, ragged ? " ragged" : "", scale),
        data,
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                queries,
                keys,
                of.apply("mask"),
                of.apply("bias"),
                scale,
                causal,
                of.apply("lse"),
                of.apply("weights")));
  }

  private static long[] shape(Offsets offsets, long batch, long length, long heads, long size) {
    return offsets == null
        ? new long[] {batch, length, heads, size}
        : new long[] {offsets.tokens(), heads, size};
  }

  private static Data vectors(
      Random random, String name, Offsets offsets, long batch, long length, long heads, long size) {
    Data data = Data.normal(random, name, shape(offsets, batch, length, heads, size));
    return random.nextBoolean() ? data.spread(random) : data;
  }
}
