package dev.gatun.test.contract.cases;

import static dev.gatun.test.contract.frame.BadCall.IN;
import static dev.gatun.test.contract.frame.BadCall.OUT;
import static dev.gatun.test.contract.frame.BadCall.X;
import static dev.gatun.test.contract.frame.BadCall.Y;
import static dev.gatun.test.contract.frame.BadCall.bad;
import static dev.gatun.test.contract.frame.BadCall.of;

import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/** Copies between any strides, and entries by index. */
final class IndexingCases {
  private static final DType[] SIZES = {DType.U8, DType.BF16, DType.F32, DType.I32, DType.I64};

  private IndexingCases() {}

  static List<Generator> generators() {
    return List.of(
        Generator.of("copy", IndexingCases::copy),
        Generator.of("copy-transposed", IndexingCases::transpose),
        Generator.of("index_select", IndexingCases::indexSelect),
        Generator.of("index_add", IndexingCases::indexAdd));
  }

  private static Data numbers(Random random, String name, DType dtype, long... shape) {
    return Data.input(random, name, r -> r.nextInt(100), shape).withDtype(dtype);
  }

  private static Case copy(long seed) {
    Random random = Seeds.random(seed);
    DType dtype = SIZES[random.nextInt(SIZES.length)];
    long[] shape = Sizes.shape(random, 6, 4000);
    Data x = numbers(random, "x", dtype, shape);
    Data y = Data.output("y", shape).withDtype(dtype);
    return copy(
        seed,
        random.nextBoolean() ? x : x.scattered(random),
        random.nextBoolean() ? y : y.scattered(random));
  }

  /** Matrices turned around, some in batches, with and without gaps. */
  private static Case transpose(long seed) {
    Random random = Seeds.random(seed);
    DType dtype = SIZES[random.nextInt(SIZES.length)];
    long batch = Sizes.some(random, 3);
    long rows = random.nextBoolean() ? Sizes.any(random, 100) : 1 + random.nextInt(300);
    long columns = random.nextBoolean() ? Sizes.any(random, 100) : 1 + random.nextInt(300);
    long line = rows + random.nextInt(3);
    Data x =
        numbers(random, "x", dtype, batch, rows, columns)
            .withStrides(line * Math.max(1, columns), 1, line);
    Data y = Data.output("y", batch, rows, columns).withDtype(dtype);
    return copy(seed, x, random.nextBoolean() ? y : y.spread(random));
  }

  private static Case copy(long seed, Data x, Data y) {
    return Case.exact(
            "copy seed %d %s".formatted(seed, x.dtype()),
            List.of(x, y),
            of -> new Copy(of.apply("x"), of.apply("y")))
        .likeItself();
  }

  private static Case indexSelect(long seed) {
    Random random = Seeds.random(seed);
    DType dtype = SIZES[random.nextInt(SIZES.length)];
    long outer = Sizes.any(random, 9);
    long length = Sizes.some(random, 100);
    long count = Sizes.any(random, 100);
    long inner = random.nextBoolean() ? 1 : Sizes.any(random, 65);
    return Case.exact(
            "index_select seed %d %s".formatted(seed, dtype),
            List.of(
                numbers(random, "x", dtype, outer, length, inner),
                Data.ids(random, "ids", length, count),
                Data.output("y", outer, count, inner).withDtype(dtype)),
            of -> new IndexSelect(of.apply("x"), ids(of, length, seed), of.apply("y")))
        .likeItself();
  }

  private static Case indexAdd(long seed) {
    Random random = Seeds.random(seed);
    boolean large = random.nextInt(10) == 0;
    long rows = Sizes.some(random, 100);
    long columns = large ? 1000 + random.nextInt(200) : Sizes.any(random, 100);
    long count = large ? 270 + random.nextInt(40) : Sizes.any(random, 100);
    Data x = Data.normal(random, "x", count, columns);
    return Case.of(
            "index_add seed " + seed,
            List.of(
                random.nextInt(4) > 0 ? x : x.with(random, Double.NaN, Double.NEGATIVE_INFINITY),
                Data.ids(random, "ids", rows, count),
                Data.normal(random, "y", rows, columns).inPlace()),
            of -> new IndexAdd(of.apply("x"), ids(of, rows, seed), of.apply("y")))
        .inSomeDtype(random, "y");
  }

  /** Indices whose bound is known in every other case. */
  static Indices ids(Function<String, Operand> of, long limit, long seed) {
    Operand ids = of.apply("ids");
    return seed % 2 == 0 ? new Indices(ids, limit) : Indices.unchecked(ids);
  }

  static List<BadCall> badCalls() {
    return List.of(
        bad("copy: y is F32[4, 8], expected shape [8, 4]", () -> new Copy(of(IN, 8, 4), Y)),
        bad(
            "copy: y is F32[4, 8], expected I32",
            () -> new Copy(Operand.of(IN, DType.I32, 4, 8), Y)),
        bad("copy: x is missing", () -> new Copy(null, Y)),
        bad("copy: output F32[4, 8] overlaps input", () -> new Copy(X, X)),
        bad(
            "index_select: y is F32[2, 4, 8], expected shape [2, 3, 8]",
            () -> new IndexSelect(of(IN, 2, 5, 8), BadCall.ids(3), of(OUT, 2, 4, 8))),
        bad("index_select: x is missing", () -> new IndexSelect(null, BadCall.ids(3), Y)),
        bad(
            "index_add: ids is I64[3], expected shape [4]",
            () -> new IndexAdd(X, BadCall.ids(3), Y)),
        bad(
            "index_add: y is F32[4, 8], expected shape [4, 7]",
            () -> new IndexAdd(of(IN, 4, 7), BadCall.ids(4), Y)));
  }
}
