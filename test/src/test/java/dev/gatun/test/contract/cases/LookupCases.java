package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.ids;
import static dev.gatun.test.contract.frame.BadCall.ints;
import static dev.gatun.test.contract.frame.BadCall.numbers;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.attention.DisentangledBias;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Kernels that find their rows by index or sequence. */
final class LookupCases {
  private LookupCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("embedding", LookupCases::embedding),
        Generator.of("packed_embedding", LookupCases::packedEmbedding),
        Generator.of("scatter_rows", LookupCases::scatter),
        Generator.of("pool", LookupCases::pool),
        Generator.of("disentangled_bias", LookupCases::disentangledBias));
  }

  private static Case embedding(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.some(random, 100);
    long columns = Sizes.any(random, 100);
    long count = Sizes.any(random, 65);
    boolean accumulate = random.nextBoolean();
    return Case.exact(
            "embedding seed %d%s".formatted(seed, accumulate ? " accumulate" : ""),
            List.of(
                Data.normal(random, "table", rows, columns),
                Data.ids(random, "ids", rows, count),
                accumulate
                    ? Data.normal(random, "y", count, columns).inPlace()
                    : Data.output("y", count, columns)),
            of ->
                new Embedding(
                    of.apply("table"),
                    IndexingCases.ids(of, rows, seed),
                    accumulate,
                    of.apply("y")))
        .inSomeDtype(random, "y")
        .likeItself();
  }

  private static Case packedEmbedding(long seed) {
    Random random = Seeds.random(seed);
    long rows = Sizes.some(random, 100);
    // Now and then longer than the piece of a row that is gathered at a time.
    long columns = random.nextInt(4) == 0 ? 250 + random.nextInt(300) : Sizes.any(random, 100);
    long count = Sizes.any(random, 65);
    boolean accumulate = random.nextBoolean();
    DType dtype = new DType[] {DType.F32, DType.BF16, DType.F16}[random.nextInt(3)];
    DType result = random.nextBoolean() ? dtype : DType.F32;
    Data table = Data.normal(random, "table", rows, columns).withDtype(dtype);
    return Case.exact(
            "packed_embedding seed %d %s%s".formatted(seed, dtype, accumulate ? " accumulate" : ""),
            List.of(
                MatmulCases.packed(table, dtype),
                Data.ids(random, "ids", rows, count),
                (accumulate
                        ? Data.normal(random, "y", count, columns).inPlace()
                        : Data.output("y", count, columns))
                    .withDtype(result)),
            of ->
                new PackedEmbedding(
                    of.apply("packed"),
                    rows,
                    IndexingCases.ids(of, rows, seed),
                    accumulate,
                    of.apply("y")))
        .likeItself();
  }

  private static Case scatter(long seed) {
    Random random = Seeds.random(seed);
    int rows = Sizes.some(random, 100);
    long columns = Sizes.any(random, 65);
    int count = random.nextInt(rows + 1);
    List<Integer> places = new ArrayList<>(IntStream.range(0, rows).boxed().toList());
    Collections.shuffle(places, random);
    double[] ids =
        places.stream().limit(count).mapToDouble(i -> random.nextInt(8) == 0 ? -1 : i).toArray();
    return Case.exact(
            "scatter_rows seed " + seed,
            List.of(
                Data.normal(random, "x", count, columns),
                Data.ids("ids", ids),
                Data.output("y", rows, columns)),
            of -> new ScatterRows(of.apply("x"), IndexingCases.ids(of, rows, seed), of.apply("y")))
        .inSomeDtype(random)
        .likeItself();
  }

  private static Case pool(long seed) {
    Random random = Seeds.random(seed);
    PoolingMode mode = PoolingMode.values()[(int) (seed % 4)];
    Ragged offsets =
        Ragged.random(random, "offsets", Sizes.lengths(random, Sizes.any(random, 7), 33));
    long columns = Sizes.any(random, 100);
    Data x = Data.normal(random, "x", offsets.tokens(), columns);
    x = random.nextInt(4) > 0 ? x : x.with(random, Double.NaN, Double.NEGATIVE_INFINITY);
    return Case.of(
            "pool seed %d %s".formatted(seed, mode),
            List.of(x, offsets.data(), Data.output("y", offsets.sequences(), columns)),
            of -> new Pool(of.apply("x"), offsets.offsets(of), mode, of.apply("y")))
        .inSomeDtype(random);
  }

  private static Case disentangledBias(long seed) {
    Random random = Seeds.random(seed);
    Ragged offsets =
        Ragged.random(random, "offsets", Sizes.lengths(random, Sizes.any(random, 4), 49));
    long heads = Sizes.any(random, 4);
    long span = Sizes.some(random, 33);
    long buckets = random.nextBoolean() ? 0 : 2 + random.nextInt(20);
    long maxPosition = buckets / 2 + 2 + random.nextInt(60);
    int parts = 1 + random.nextInt(3);
    List<Data> data = new ArrayList<>();
    if ((parts & 1) != 0) {
      data.add(Data.normal(random, "c2p", heads, offsets.tokens(), 2 * span));
    }
    if ((parts & 2) != 0) {
      data.add(Data.normal(random, "p2c", heads, offsets.tokens(), 2 * span));
    }
    data.add(Data.ids(random, "positions", 80, offsets.tokens()));
    data.add(offsets.data());
    long longest = offsets.longest();
    data.add(Data.output("bias", offsets.sequences(), heads, longest, longest));
    return Case.of(
        "disentangled_bias seed %d span %d buckets %d".formatted(seed, span, buckets),
        data,
        of ->
            new DisentangledBias(
                of.apply("c2p"),
                of.apply("p2c"),
                offsets.offsets(of),
                of.apply("positions"),
                span,
                buckets,
                maxPosition,
                0.25f,
                of.apply("bias")));
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad(
            "embedding: y is BF16[3, 8], expected F32",
            () -> new Embedding(X, ids(3), false, Operand.of(OUT, DType.BF16, 3, 8))),
        bad(
            "packed_embedding: packed is F32[4, 8], expected 1 axes",
            () -> new PackedEmbedding(X, 4, ids(3), false, of(OUT, 3, 8))),
        bad(
            "packed_embedding: packed is F32[255], expected shape [256]",
            () -> new PackedEmbedding(of(IN, 255), 32, ids(3), false, of(OUT, 3, 8))),
        bad(
            "packed_embedding: rows is -1, expected 0 or more",
            () -> new PackedEmbedding(of(IN, 256), -1, ids(3), false, of(OUT, 3, 8))),
        bad(
            "packed_embedding: y is F32[4, 8], expected shape [3, 8]",
            () -> new PackedEmbedding(of(IN, 256), 32, ids(3), false, Y)),
        bad(
            "embedding: y is F32[4, 8], expected shape [3, 8]",
            () -> new Embedding(X, ids(3), false, Y)),
        bad("scatter_rows: ids is I64[3], expected shape [4]", () -> new ScatterRows(X, ids(3), Y)),
        bad(
            "pool: x is F32[4, 8], expected shape [5, 8]",
            () -> new Pool(X, offsets(2, 5, 3), PoolingMode.MEAN, of(OUT, 2, 8))),
        bad(
            "disentangled_bias: c2p and p2c are both missing",
            () ->
                new DisentangledBias(
                    null, null, offsets(1, 2, 2), numbers(2), 4, 0, 8, 1, of(OUT, 1, 1, 2, 2))),
        bad(
            "disentangled_bias: span 4, buckets 1, max position 8",
            () ->
                new DisentangledBias(
                    null, null, offsets(1, 2, 2), numbers(2), 4, 1, 8, 1, of(OUT, 1, 1, 2, 2))));
  }

  /** Offsets of so many sequences. */
  private static Offsets offsets(int sequences, int tokens, int longest) {
    return new Offsets(ints(sequences + 1), tokens, longest);
  }
}
