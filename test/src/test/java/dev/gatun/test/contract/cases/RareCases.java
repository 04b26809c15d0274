package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.norm.L2Normalize;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;

/**
 * What random sizes come to once in a thousand cases, or never, in turn by a case's number: sums of
 * nothing, weights of one group, operands of mixed types, rows of one value, every place of a
 * stride of 1.
 */
final class RareCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final List<BlockFormat> FORMATS = BlockFormat.all().toList();
  private static final QuantizedActivations[] WAYS = QuantizedActivations.values();

  private RareCases() {}

  static List<Generator> generators(Target target) {
    return List.of(
        Generator.of("matmul-types", RareCases::types).times(0.7),
        Generator.of("matmul-rounded", RareCases::rounded).times(0.3),
        Generator.of("matmul-rounded-gaps", RareCases::roundedGaps).times(0.3),
        Generator.of("matmul-same", RareCases::same).times(0.12),
        Generator.of("matmul_pack-across", RareCases::packAcross).times(1),
        Generator.of("batched_matmul-tall", RareCases::tall).times(0.4),
        Generator.of("batched_matmul-tall-gaps", RareCases::tallGaps).times(0.05),
        Generator.of("batched_matmul-same", RareCases::sameOfBatch).times(0.16),
        Generator.of("quantized_matmul-narrow", s -> narrow(s, target)).times(2.6),
        Generator.of("quantized_matmul-layouts", s -> LayoutCases.layouts(s, target))
            .times(target == Target.HOST ? 7.6 : 4.8),
        Generator.of("quantized_matmul-empty", s -> nothing(s, target)).times(0.2),
        Generator.of("quantized_matmul-blocks", s -> blocks(s, target)).times(0.4),
        Generator.of("quantized_matmul-sums", LayoutCases::sums).times(0.3),
        Generator.of("quantized_matmul-runs", LayoutCases::runs).times(0.4),
        Generator.of("quantize_tokens-empty", RareCases::tokensOfNothing).times(0.2),
        Generator.of("layer_norm-even", EvenRows::forward).times(0.3),
        Generator.of("layer_norm_backward-even", EvenRows::backward).times(0.3),
        Generator.of("layer_norm_backward-level", EvenRows::level).times(0.3),
        Generator.of("l2_normalize-zero", RareCases::zeroRows).times(0.1),
        Generator.of("scaled_dot_product_attention-uneven", RareCases::uneven).times(0.2),
        Generator.of("scaled_dot_product_attention-extreme", RareCases::extreme).times(0.24),
        Generator.of("scaled_dot_product_attention-nan", RareCases::blindOfNan).times(0.4),
        Generator.of("attention_backward-unlikely", RareCases::unlikely).times(0.3),
        Generator.of("attention_backward-blind", RareCases::blind).times(0.2),
        Generator.of("attention_backward-heads", RareCases::heads).times(0.2),
        Generator.of("reduce-strides", RareCases::strides).times(0.5),
        Generator.of("topk-nan", RareCases::topOfNan).times(0.2));
  }

  /** What the tiles of compute capability 9.0 take, but for one thing. */
  static List<Generator> hopper(Target target) {
    return List.of(
        Generator.of("scaled_dot_product_attention-almost", RareCases::almost).times(2.25),
        Generator.of("quantized_matmul-layouts", s -> LayoutCases.layouts(s, target)).times(16),
        Generator.of("quantized_matmul-sums", LayoutCases::sums).times(1.5));
  }

  private static DType dtype(long number) {
    return FLOATS[(int) Math.floorMod(number, (long) FLOATS.length)];
  }

  /** Factors of each type with weights of each, of no depth too, and of rows 1,024 bytes apart. */
  private static Case types(long seed) {
    Random random = Seeds.random(seed);
    DType weight = dtype(seed);
    DType x = weight == DType.F32 ? DType.F32 : dtype(seed / 3);
    DType y = weight == DType.F32 ? DType.F32 : dtype(random.nextInt(3));
    int depth = (int) Math.floorMod(seed / 9, 3L);
    long m = 1 + random.nextInt(40);
    long k = depth == 0 ? 0 : depth == 1 ? 512 : 1 + random.nextInt(200);
    Data factor = Data.normal(random, "x", m, k).withDtype(DType.BF16).withDtype(x);
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    return MatmulCases.product(
        "matmul seed %d types %s %s %s %s".formatted(seed, x, weight, y, activation),
        factor,
        Data.normal(random, "weight", 1 + random.nextInt(100), k).withDtype(weight),
        y,
        random.nextBoolean() ? random : null,
        activation);
  }

  /** Factors whose rows are all the same one. */
  private static Case same(long seed) {
    Random random = Seeds.random(seed);
    long k = 1 + random.nextInt(70);
    DType dtype = dtype(seed);
    return MatmulCases.product(
        "matmul seed %d same %s".formatted(seed, dtype),
        repeated(Data.normal(random, "x", 2 + random.nextInt(20), k).withDtype(dtype), 0),
        Data.normal(random, "weight", 1 + random.nextInt(40), k).withDtype(dtype),
        dtype,
        random,
        Activation.NONE);
  }

  private static Case sameOfBatch(long seed) {
    Random random = Seeds.random(seed);
    boolean left = seed % 2 == 0;
    DType dtype = dtype(seed / 2);
    Data a = Data.normal(random, "a", 2, 3 + random.nextInt(9), 16);
    Data b = Data.normal(random, "b", 2, 3 + random.nextInt(9), 16);
    return Case.of(
        "batched_matmul seed %d same %s".formatted(seed, dtype),
        List.of(
            (left ? repeated(a, 1) : a).withDtype(dtype),
            (left ? b : repeated(b, 1)).withDtype(dtype),
            Data.output("c", 2, a.shape()[1], b.shape()[1])),
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("c"), false));
  }

  /** One entry for all of an axis. */
  private static Data repeated(Data data, int axis) {
    long[] strides = data.strides().clone();
    strides[axis] = 0;
    int inner = 1;
    for (int i = axis + 1; i < strides.length; i++) {
      inner *= (int) data.shape()[i];
    }
    int size = (int) data.shape()[axis];
    int row = inner;
    return data.withStrides(strides)
        .withValues(
            data.contents()
                .changed(
                    values -> {
                      double[] same = values.clone();
                      for (int i = 0; i < same.length; i++) {
                        int outer = i / (size * row);
                        same[i] = values[outer * size * row + i % row];
                      }
                      return same;
                    }));
  }

  /** Factors that BF16 cannot hold, by weights of BF16: each result is one of them, rounded. */
  private static Case rounded(long seed) {
    Random random = Seeds.random(seed);
    long m = 1 + random.nextInt(40);
    return rounded(seed, random, Data.normal(random, "x", m, 1 + random.nextInt(150)));
  }

  /** The same of rows with gaps between them, as deep as tensor cores take them and not. */
  private static Case roundedGaps(long seed) {
    Random random = Seeds.random(seed);
    long m = 2 + random.nextInt(40);
    long k = 8 * (1 + random.nextInt(12)) + Math.floorMod(seed / 2, 2L);
    long gap = 8 * (1 + random.nextInt(2)) - Math.floorMod(seed / 4, 2L);
    Data x = Data.normal(random, "x", m, k);
    return rounded(seed, random, x.withStrides(k + gap, 1));
  }

  private static Case rounded(long seed, Random random, Data given) {
    int k = (int) given.shape()[1];
    int n = 1 + random.nextInt(70);
    Data x =
        given
            .withDtype(seed % 2 == 0 ? DType.F32 : DType.F16)
            .with(random, 1 + 0x1p-8, 1 + 0x3p-8, -1 - 0x1p-8, 1 + 0x1p-9);
    Data weight =
        Data.placed(random, "weight", (r, i) -> i % k == i / k * 7 % k ? 1 : 0, n, k)
            .withDtype(DType.BF16);
    String description = "matmul seed %d rounded %s".formatted(seed, x.dtype());
    Case c = MatmulCases.product(description, x, weight, DType.F32, null, Activation.NONE);
    Case oracle =
        MatmulCases.product(
            description, x.withDtype(DType.BF16), weight, DType.F32, null, Activation.NONE);
    return Case.exact(description, c.data(), c.call()).withOracle(oracle.widened());
  }

  /**
   * Sums of nothing and of one product, with any strides; of many rows so many products that b is
   * laid out once for all of them, of rows of a that are 4 KB of floats apart too; and so deep ones
   * that it is not.
   */
  private static Case tall(long seed) {
    Random random = Seeds.random(seed);
    int kind = (int) Math.floorMod(seed, 5L);
    DType dtype = dtype(seed / 5);
    boolean deep = kind == 3;
    boolean many = kind == 2 || kind == 4;
    boolean accumulates = deep || random.nextBoolean();
    long m = many ? 250 + random.nextInt(100) : 49 + random.nextInt(80);
    long k = kind < 2 ? kind : deep ? 400 + random.nextInt(50) : 100 + random.nextInt(40);
    long n = many ? Math.ceilDiv(1L << 22, m * k) + random.nextInt(20) : 5 + random.nextInt(40);
    Data whole = Data.normal(random, "a", 1, m, k);
    Data a =
        switch (kind) {
          case 1 -> whole.withStrides(3 * m, 3, 2);
          case 4 -> whole.withStrides(1024 * m, 1024, 1);
          default -> whole;
        };
    Data c = Data.normal(random, "c", 1, m, n);
    return Case.of(
        "batched_matmul seed %d tall %s%s".formatted(seed, dtype, accumulates ? " added" : ""),
        List.of(
            a.withDtype(dtype),
            Data.normal(random, "b", 1, n, k).withDtype(dtype),
            accumulates ? c.inPlace() : Data.output("c", 1, m, n)),
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("c"), accumulates));
  }

  /** As tall, of a whose numbers are neighbours neither in rows nor in columns. */
  private static Case tallGaps(long seed) {
    Random random = Seeds.random(seed);
    long m = 250 + random.nextInt(100);
    long k = 100 + random.nextInt(40);
    long n = Math.ceilDiv(1L << 22, m * k) + random.nextInt(20);
    Data a = Data.normal(random, "a", 1, m, k).withStrides(0, 2 * k + 1, 2);
    DType dtype = dtype(seed - 1);
    return Case.of(
        "batched_matmul seed %d tall with gaps %s".formatted(seed, dtype),
        List.of(
            a.withDtype(dtype),
            Data.normal(random, "b", 1, n, k).withDtype(dtype),
            Data.output("c", 1, m, n)),
        of -> new BatchedMatmul(of.apply("a"), of.apply("b"), of.apply("c"), false));
  }

  /** Weights of each type to each, whose features are neighbours, or nothing is; of one feature. */
  private static Case packAcross(long seed) {
    Random random = Seeds.random(seed);
    DType from = dtype(seed);
    DType to = dtype(seed / 3);
    boolean gaps = random.nextInt(3) == 0;
    long n = random.nextInt(4) == 0 ? 1 : 33 + random.nextInt(60);
    long k = 1 + random.nextInt(100);
    Data weight = Data.normal(random, "weight", n, k).withDtype(from);
    return Case.exact(
            "matmul_pack seed %d across %s to %s%s".formatted(seed, from, to, gaps ? " gaps" : ""),
            List.of(
                gaps ? weight.withStrides(2, 2 * n + 1) : weight.withStrides(1, n),
                Data.output("packed", MatmulPack.packedCount(to, n, k)).withDtype(to)),
            of -> new MatmulPack(of.apply("weight"), of.apply("packed")))
        .likeItself();
  }

  /** Weights of one group, or of none, of every format in every way. */
  private static Case narrow(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get((int) Math.floorMod(seed, (long) FORMATS.size()));
    QuantizedActivations way = WAYS[(int) Math.floorMod(seed / FORMATS.size(), (long) WAYS.length)];
    int one = format.equals(BlockFormat.INT8) ? 1 + random.nextInt(70) : format.blockSize(0);
    int m = random.nextBoolean() ? 1 + random.nextInt(4) : 13 + random.nextInt(25);
    Data x = Data.normal(random, "x", m, random.nextInt(4) == 0 ? 0 : one);
    return QuantizedCases.product(
        random,
        target,
        "quantized_matmul seed " + seed + " narrow",
        format,
        List.of(way),
        x.withDtype(dtype(random.nextInt(3))),
        1 + random.nextInt(40));
  }

  /** No row, and no output feature. */
  private static Case nothing(long seed, Target target) {
    Random random = Seeds.random(seed);
    boolean rows = seed % 2 == 0;
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int k = format.equals(BlockFormat.INT8) ? 16 : format.blockSize(0);
    return QuantizedCases.product(
        random,
        target,
        "quantized_matmul seed " + seed + " of nothing",
        format,
        List.of(WAYS),
        Data.normal(random, "x", rows ? 0 : 3, k),
        rows ? 5 : 0);
  }

  /** More rows than a task of the processor's kernels has. */
  private static Case blocks(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    boolean perToken = seed % 2 == 0;
    int k = format.equals(BlockFormat.INT8) ? 1 + random.nextInt(70) : format.blockSize(0);
    Data x = Data.normal(random, "x", 129 + random.nextInt(60), k);
    return QuantizedCases.product(
        random,
        target,
        "quantized_matmul seed " + seed + " blocks",
        format,
        perToken ? List.of(QuantizedActivations.INT8_PER_TOKEN) : List.of(WAYS),
        x.withDtype(dtype(random.nextInt(3))),
        1 + random.nextInt(40));
  }

  private static Case tokensOfNothing(long seed) {
    Random random = Seeds.random(seed);
    long rows = 1 + random.nextInt(9);
    boolean offsets = seed % 2 == 0;
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "x", rows, 0).withDtype(dtype(seed)));
    data.add(QuantizedCases.bytes("codes", null, rows, 0));
    data.add(Data.output("scales", rows));
    if (offsets) {
      data.add(Data.output("offsets", rows));
    }
    return Case.exact(
        "quantize_tokens seed %d of nothing".formatted(seed),
        data,
        of -> new QuantizeTokens(of.apply("x"), QuantizedCases.codes(of, false)));
  }

  /** Rows of zeros, and such as are shorter than what divides them at least. */
  private static Case zeroRows(long seed) {
    Random random = Seeds.random(seed);
    int columns = 1 + random.nextInt(100);
    Data x =
        Data.placed(
            random,
            "x",
            (r, i) ->
                i / columns == 0
                    ? 0
                    : i / columns == 1 ? 1e-6 * r.nextGaussian() : r.nextGaussian(),
            3,
            columns);
    return Case.of(
            "l2_normalize seed %d zero rows".formatted(seed),
            List.of(x, Data.output("y", 3, columns)),
            of -> new L2Normalize(of.apply("x"), 0.01f, of.apply("y")))
        .in(dtype(seed), Set.of());
  }

  /** Sequences with many queries beside one, few and none. */
  private static Case uneven(long seed) {
    Random random = Seeds.random(seed);
    Ragged queries = Ragged.of("query offsets", 60 + random.nextInt(400), 1, 0, 2);
    Ragged keys = Ragged.of("key offsets", 70, 9, 5, 40);
    int size = 8 * (1 + random.nextInt(5));
    DType dtype = dtype(seed);
    return Case.of(
        "scaled_dot_product_attention seed %d uneven %s".formatted(seed, dtype),
        List.of(
            Data.normal(random, "query", queries.tokens(), 2, size).withDtype(dtype),
            Data.normal(random, "key", keys.tokens(), 1, size).withDtype(dtype),
            Data.normal(random, "value", keys.tokens(), 1, size).withDtype(dtype),
            Data.output("output", queries.tokens(), 2, size).withDtype(dtype),
            queries.data(),
            keys.data()),
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                queries.offsets(of),
                new KeyLayout(keys, null, null, 4, 70, 0).keys(of),
                new AttentionScores(1 / (float) Math.sqrt(size), 0, null, null, null),
                new AttentionMask(Causal.NONE, 0, null),
                Dropout.NONE,
                null,
                null));
  }

  /** Queries and keys of no size, whose scores are all 0, and of more than tensor cores take. */
  private static Case extreme(long seed) {
    Random random = Seeds.random(seed);
    long queries = 1 + random.nextInt(20);
    long keys = 1 + random.nextInt(70);
    long size = seed % 2 == 0 ? 0 : 264;
    DType dtype = dtype(seed / 2);
    return Case.of(
        "scaled_dot_product_attention seed %d extreme %s".formatted(seed, dtype),
        List.of(
            Data.normal(random, "query", 1, queries, 2, size).withDtype(dtype),
            Data.normal(random, "key", 1, keys, 1, size).withDtype(dtype),
            Data.normal(random, "value", 1, keys, 1, 16).withDtype(dtype),
            Data.output("output", 1, queries, 2, 16).withDtype(dtype)),
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                null,
                AttentionKeys.PADDED,
                new AttentionScores(1, 0, null, null, null),
                new AttentionMask(Causal.NONE, 0, null),
                Dropout.NONE,
                null,
                null));
  }

  /**
   * Queries of which one is not a number, and so is each of its scores: of few keys, which fill no
   * vector, and of many. It has seen them all the same.
   */
  private static Case blindOfNan(long seed) {
    Random random = Seeds.random(seed);
    int heads = 2;
    int size = 8 * (1 + random.nextInt(4));
    long queries = 1 + random.nextInt(seed % 2 == 0 ? 4 : 60);
    int room = 1 + random.nextInt(seed / 2 % 2 == 0 ? 15 : 300);
    DType dtype = dtype(seed / 4);
    List<Data> data = new ArrayList<>();
    data.add(
        Data.normal(random, "query", 1, queries, heads, size)
            .with(random, Double.NaN)
            .withDtype(dtype));
    data.add(Data.normal(random, "key", 1, room, heads, size).withDtype(dtype));
    data.add(Data.normal(random, "value", 1, room, heads, size).withDtype(dtype));
    data.add(Data.output("output", 1, queries, heads, size).withDtype(dtype));
    data.add(Data.output("lse", 1, heads, queries));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "sinks", heads));
    }
    if (random.nextInt(3) == 0) {
      data.add(Data.output("weights", 1, heads, queries, room));
    }
    return Case.of(
        "scaled_dot_product_attention seed %d of NaN %s".formatted(seed, dtype),
        data,
        of -> attention(of, room));
  }

  /** One of nine things in turn: few queries, no keys, one key for all, or scores that are more. */
  private static Case almost(long seed) {
    Random random = Seeds.random(seed);
    int kind = (int) Math.floorMod(seed, 9L);
    int heads = 1 + random.nextInt(2);
    int size = random.nextBoolean() ? 64 : 128;
    long queries = kind == 0 ? 64 : 65 + random.nextInt(20);
    int keys = kind == 1 ? 0 : 1 + random.nextInt(100);
    DType dtype = FLOATS[1 + random.nextInt(2)];
    Data key = Data.normal(random, "key", 1, keys, heads, size).withDtype(dtype);
    List<Data> data = new ArrayList<>();
    data.add(Data.normal(random, "query", 1, queries, heads, size).withDtype(dtype));
    data.add(kind == 2 ? key.withStrides(0, 0, size, 1) : key);
    data.add(Data.normal(random, "value", 1, keys, heads, size).withDtype(dtype));
    data.add(Data.output("output", 1, queries, heads, size).withDtype(dtype));
    switch (kind) {
      case 3 -> data.add(Data.normal(random, "bias", 1, 1, 1, keys));
      case 4 -> data.add(Data.input(random, "slopes", Random::nextDouble, heads));
      case 5 ->
          data.add(Data.input(random, "mask", r -> r.nextInt(2), 1, keys).withDtype(DType.U8));
      default -> {}
    }
    float scale = kind == 6 ? 0 : 1 / (float) Math.sqrt(size);
    float softcap = kind == 7 ? 5 : 0;
    Dropout dropout = kind == 8 ? new Dropout(0.2f, seed) : Dropout.NONE;
    return Case.of(
        "scaled_dot_product_attention seed %d almost plain %d %s".formatted(seed, kind, dtype),
        data,
        of ->
            new ScaledDotProductAttention(
                of.apply("query"),
                of.apply("key"),
                of.apply("value"),
                of.apply("output"),
                null,
                new KeyLayout(null, null, null, 1, keys, 0).keys(of),
                new AttentionScores(scale, softcap, of.apply("bias"), of.apply("slopes"), null),
                new AttentionMask(Causal.NONE, 0, of.apply("mask")),
                dropout,
                null,
                null));
  }

  /**
   * Gradients where one key has no part in the output, by a bias far below all scores, and so has
   * none of them, however large its value times the output's gradient is.
   */
  private static Case unlikely(long seed) {
    Random random = Seeds.random(seed);
    int heads = 2;
    int size = 8;
    int keys = 2 + random.nextInt(40);
    long queries = 1 + random.nextInt(20);
    int none = random.nextInt(keys);
    List<Data> read =
        List.of(
            Data.normal(random, "query", 1, queries, heads, size),
            Data.normal(random, "key", 1, keys, heads, size),
            Data.placed(
                random,
                "value",
                (r, i) -> i / (heads * size) == none ? 1e30 : r.nextGaussian(),
                1,
                keys,
                heads,
                size),
            Data.placed(
                random, "bias", (r, i) -> i == none ? -1e9 : r.nextGaussian(), 1, 1, 1, keys));
    String description =
        "attention_backward seed %d of %d keys, %d without a part".formatted(seed, keys, none);
    return backward(description, random, 1e10, read);
  }

  /**
   * Gradients of queries that see nothing, not even their head's sink, which is as low as can be.
   */
  private static Case blind(long seed) {
    Random random = Seeds.random(seed);
    int heads = 2;
    int size = 8;
    int keys = 1 + random.nextInt(40);
    long queries = 1 + random.nextInt(20);
    int seen = random.nextInt(2);
    List<Data> read =
        List.of(
            Data.normal(random, "query", 1, queries, heads, size),
            Data.normal(random, "key", 1, keys, heads, size),
            Data.normal(random, "value", 1, keys, heads, size),
            Data.placed(
                random,
                "bias",
                (r, i) -> i / keys % 2 == seen ? r.nextGaussian() : Double.NEGATIVE_INFINITY,
                1,
                1,
                queries,
                keys),
            Data.placed(
                random,
                "sinks",
                (r, i) -> i == 0 ? Double.NEGATIVE_INFINITY : r.nextGaussian(),
                heads));
    return backward("attention_backward seed %d blind".formatted(seed), random, 1, read);
  }

  /** So many heads that each is a task, with keys of several blocks. */
  private static Case heads(long seed) {
    Random random = Seeds.random(seed);
    int heads = 8;
    int size = 4;
    long queries = 1 + random.nextInt(300);
    long keys = 1 + random.nextInt(200);
    List<Data> read =
        List.of(
            Data.normal(random, "query", 1, queries, heads, size),
            Data.normal(random, "key", 1, keys, heads, size),
            Data.normal(random, "value", 1, keys, heads, size));
    return backward("attention_backward seed %d heads".formatted(seed), random, 1, read);
  }

  /** Gradients of what is read, but for a bias, by an output's of such numbers. */
  private static Case backward(String description, Random random, double most, List<Data> read) {
    int keys = (int) read.get(1).shape()[1];
    Data query = read.getFirst();
    Data output = Data.output("output", query.shape());
    Data lse = Data.output("lse", 1, query.shape()[2], query.shape()[1]);
    List<Data> forward = new ArrayList<>(read);
    forward.addAll(List.of(output, lse));
    Case attention = Case.of("its forward", forward, of -> attention(of, keys));
    List<Data> data = new ArrayList<>(read);
    for (Data result : List.of(output, lse)) {
      Values values = Values.of(() -> Runs.values(attention, result.name()));
      data.add(Data.rows(result.name(), DType.F32, values, result.shape()));
    }
    data.add(Data.input(random, "doutput", r -> most * r.nextGaussian(), output.shape()));
    for (Data of : read) {
      if (!of.name().equals("bias")) {
        data.add(Data.output("d" + of.name(), of.shape()));
      }
    }
    return Case.of(
        description,
        data,
        of ->
            new AttentionBackward(
                attention(of, keys),
                of.apply("doutput"),
                null,
                null,
                of.apply("dquery"),
                of.apply("dkey"),
                of.apply("dvalue"),
                null,
                of.apply("dsinks")));
  }

  private static ScaledDotProductAttention attention(Function<String, Operand> of, int keys) {
    return new ScaledDotProductAttention(
        of.apply("query"),
        of.apply("key"),
        of.apply("value"),
        of.apply("output"),
        null,
        new KeyLayout(null, null, null, 1, keys, 0).keys(of),
        new AttentionScores(0.3f, 0, of.apply("bias"), null, of.apply("sinks")),
        new AttentionMask(Causal.NONE, 0, null),
        Dropout.NONE,
        of.apply("lse"),
        of.apply("weights"));
  }

  /** Each axis in each place of memory, some of them of one element. */
  private static Case strides(long seed) {
    Random random = Seeds.random(seed);
    long[] shape = {1 + random.nextInt(9), 1 + random.nextInt(40), 1 + random.nextInt(9)};
    int one = (int) Math.floorMod(seed / 6, 4L);
    if (one < 3) {
      shape[one] = 1;
    }
    int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    long[] strides = new long[3];
    long next = 1;
    for (int axis : orders[(int) Math.floorMod(seed, 6L)]) {
      strides[axis] = next;
      next *= shape[axis];
    }
    Reduction reduction = Reduction.values()[random.nextInt(Reduction.values().length)];
    Data x = Data.normal(random, "x", shape).withDtype(dtype(random.nextInt(3)));
    return Case.of(
        "reduce seed %d %s of strides %d %d %d"
            .formatted(seed, reduction, strides[0], strides[1], strides[2]),
        List.of(x.withStrides(strides), Data.output("y", shape[0], shape[2])),
        of -> new Reduce(of.apply("x"), reduction, of.apply("y")));
  }

  /** Rows that begin with as many of no value as are asked for. */
  private static Case topOfNan(long seed) {
    Random random = Seeds.random(seed);
    int columns = 100 + random.nextInt(200);
    int k = 1 + random.nextInt(5);
    Data x =
        Data.placed(
                random, "x", (r, i) -> i % columns < k ? Double.NaN : r.nextGaussian(), 3, columns)
            .withDtype(dtype(seed));
    return Case.exact(
        "topk seed %d k %d behind NaN".formatted(seed, k),
        List.of(
            x,
            Data.output("values", 3, k).withDtype(x.dtype()),
            Data.output("indices", 3, k).withDtype(DType.I64)),
        of -> new TopK(of.apply("x"), of.apply("values"), of.apply("indices")));
  }
}
