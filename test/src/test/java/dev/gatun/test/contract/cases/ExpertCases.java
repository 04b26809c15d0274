package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.ExpertRouting;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Ragged;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Random mixtures of experts: equal logits, experts without tokens, dropped and shared rows. */
final class ExpertCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final List<BlockFormat> FORMATS = BlockFormat.all().toList();

  private ExpertCases() {}

  static List<Generator> generators(Target target) {
    return List.of(
        Generator.of("expert_routing", ExpertCases::routing),
        Generator.of("grouped_matmul", ExpertCases::grouped),
        Generator.of("grouped_quantized_matmul", s -> quantized(s, target)).times(1.6),
        Generator.of("expert_combine", s -> combine(s, false)));
  }

  private static Case routing(long seed) {
    Random random = Seeds.random(seed);
    int tokens = Sizes.any(random, 100);
    int experts = random.nextInt(6) == 0 ? 120 + random.nextInt(200) : Sizes.some(random, 65);
    int k =
        Math.min(experts, random.nextInt(5) == 0 ? Sizes.some(random, 40) : 1 + random.nextInt(4));
    boolean equal = random.nextInt(3) == 0;
    ToDoubleFunction<Random> one = equal ? r -> r.nextInt(4) : Random::nextGaussian;
    Data logits = Data.input(random, "logits", one, tokens, experts).withDtype(some(random));
    if (random.nextInt(5) == 0) {
      logits = logits.with(random, Double.NaN, Double.NEGATIVE_INFINITY, -0.0, 0);
    }
    if (random.nextInt(8) == 0) {
      logits = logits.with(random, Double.POSITIVE_INFINITY);
    }
    boolean limited = random.nextInt(3) == 0;
    Ragged sequences = sequences(random, tokens);
    int most = 1 + random.nextInt(1 + 2 * tokens / experts);
    boolean renormalize = random.nextBoolean();
    float scale = random.nextBoolean() ? 1 : 2.5f;
    return Case.of(
        "expert_routing seed %d %d of %d%s"
            .formatted(
                seed,
                k,
                experts,
                limited ? " at most %d of %s".formatted(most, sequences.data()) : ""),
        List.of(
            random.nextBoolean() ? logits.spread(random) : logits,
            sequences.data(),
            output("experts", tokens, k),
            Data.output("weights", tokens, k),
            output("rows", (long) tokens * k),
            output("places", tokens, k),
            output("offsets", experts + 1)),
        of ->
            new ExpertRouting(
                of.apply("logits"),
                renormalize,
                scale,
                limited ? new ExpertCapacity(most, sequences.offsets(of)) : null,
                of.apply("experts"),
                of.apply("weights"),
                of.apply("rows"),
                of.apply("places"),
                of.apply("offsets")));
  }

  private static Ragged sequences(Random random, int tokens) {
    int[] lengths = new int[1 + random.nextInt(4)];
    for (int left = tokens; left > 0; left--) {
      lengths[random.nextInt(lengths.length)]++;
    }
    return Ragged.of("sequences", lengths);
  }

  /** How the rows of a product belong to experts. */
  private record Groups(int experts, int places, int tokens, List<Data> data) {
    static Groups random(Random random, int most) {
      int experts = 1 + random.nextInt(random.nextBoolean() ? 2 : 9);
      return random(random, experts, () -> random.nextInt(3) == 0 ? 0 : Sizes.any(random, most));
    }

    /** With so many rows an expert as is drawn. */
    static Groups random(Random random, int experts, IntSupplier length) {
      double[] offsets = new double[experts + 1];
      for (int e = 0; e < experts; e++) {
        offsets[e + 1] = offsets[e] + length.getAsInt();
      }
      int used = (int) offsets[experts];
      int places = used + random.nextInt(2) * random.nextInt(4);
      List<Data> data = new ArrayList<>(List.of(ints("offsets", offsets)));
      int tokens = places;
      if (random.nextBoolean()) {
        tokens = Sizes.some(random, 65);
        double[] rows = new double[places];
        Arrays.fill(rows, -1);
        for (int i = 0; i < used; i++) {
          rows[i] = random.nextInt(tokens);
        }
        data.add(ints("rows", rows));
      }
      return new Groups(experts, places, tokens, data);
    }
  }

  private static Case grouped(long seed) {
    Random random = Seeds.random(seed);
    Groups groups = Groups.random(random, random.nextInt(4) == 0 ? 100 : 17);
    long n = Sizes.any(random, 100);
    // Now and then deeper than a block along k, or more rows than a chunk of rows.
    long k = random.nextInt(8) == 0 ? 250 + random.nextInt(100) : Sizes.any(random, 65);
    return product("grouped_matmul seed " + seed, random, groups, some(random), n, k);
  }

  /** Products that tiles of tensor cores take: half precision, depths that are multiples of 8. */
  static List<Generator> tiles(Target target) {
    return List.of(
        Generator.of("grouped_matmul", s -> tile(s, false)),
        Generator.of("grouped_matmul-deep", s -> tile(s, true)).times(0.3),
        Generator.of("grouped_matmul-large", ExpertCases::largeTile).times(0.14),
        Generator.of("grouped_matmul-few", ExpertCases::fewFeatures).times(0.14),
        Generator.of("grouped_matmul-whole", ExpertCases::wholeTiles).times(1.5),
        Generator.of("grouped_quantized_matmul", s -> quantizedTile(s, target, false)).times(2),
        Generator.of("grouped_quantized_matmul-deep", s -> quantizedTile(s, target, true)),
        Generator.of("grouped_quantized_matmul-alone", s -> alone(s, target)).times(0.6),
        Generator.of("expert_combine", s -> combine(s, true)).times(0.2));
  }

  private static Case tile(long seed, boolean deep) {
    Random random = Seeds.random(seed);
    Groups groups = Groups.random(random, random.nextBoolean() ? 100 : 17);
    long n = 1 + random.nextInt(deep ? 70 : 200);
    long k = 8 * (deep ? 128 + random.nextInt(20) : 1 + random.nextInt(30));
    DType dtype = FLOATS[1 + random.nextInt(2)];
    return product("grouped_matmul seed " + seed + " tile", random, groups, dtype, n, k);
  }

  /** So many results that the largest tile takes them. */
  private static Case largeTile(long seed) {
    Random random = Seeds.random(seed);
    int experts = 1 + random.nextInt(3);
    Groups groups = Groups.random(random, experts, () -> 128 + random.nextInt(200));
    long n = Math.ceilDiv(128L * 128 * 128, groups.places) + random.nextInt(40);
    long k = 8 * (random.nextBoolean() ? 1 + random.nextInt(4) : 13 + random.nextInt(4));
    DType dtype = FLOATS[1 + (int) (seed & 1)];
    return product("grouped_matmul seed " + seed + " tile", random, groups, dtype, n, k);
  }

  /** Of as many rows, and too few output features for the largest tile. */
  private static Case fewFeatures(long seed) {
    Random random = Seeds.random(seed);
    Groups groups = Groups.random(random, 1 + random.nextInt(2), () -> 128 + random.nextInt(100));
    DType dtype = FLOATS[1 + (int) (seed & 1)];
    String description = "grouped_matmul seed " + seed + " few features";
    return product(
        description, random, groups, dtype, 1 + random.nextInt(40), 8 * (1 + random.nextInt(9)));
  }

  /** Experts whose rows are whole tiles, so that some blocks have none; with a bias and without. */
  private static Case wholeTiles(long seed) {
    Random random = Seeds.random(seed);
    int rows = new int[] {128, 64, 16}[(int) Math.floorMod(seed / 4, 3L)];
    Groups groups = Groups.random(random, 2, () -> rows);
    long n = rows == 128 ? Math.ceilDiv(128L * 128 * 128, groups.places) : 1 + random.nextInt(100);
    DType dtype = FLOATS[1 + (int) (seed & 1)];
    boolean biased = (seed >> 1 & 1) == 0;
    return product("grouped_matmul seed " + seed + " tile", random, groups, dtype, n, 8, biased);
  }

  private static Case product(
      String description, Random random, Groups groups, DType dtype, long n, long k) {
    return product(description, random, groups, dtype, n, k, null);
  }

  /**
   * @param biased null for a bias by chance
   */
  private static Case product(
      String description,
      Random random,
      Groups groups,
      DType dtype,
      long n,
      long k,
      Boolean biased) {
    boolean tile = description.endsWith("tile");
    boolean wide = dtype == DType.F32;
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    // A product with BF16 weights rounds x, so it gets numbers that stay what they are.
    Data x = Data.normal(random, "x", groups.tokens, k).withDtype(dtype);
    x = random.nextInt(6) == 0 ? x.with(random, Double.NaN, 1e4) : x;
    x = wide || tile || random.nextBoolean() ? x : x.widened();
    Data y = Data.output("y", groups.places, n).withDtype(wide ? dtype : some(random));
    boolean spread = !tile && random.nextBoolean();
    List<Data> weights =
        IntStream.range(0, groups.experts)
            .mapToObj(e -> Data.normal(random, "weight", n, k).withDtype(dtype))
            .toList();
    List<Data> data = new ArrayList<>(groups.data);
    data.add(spread ? x.spread(random) : x);
    data.add(spread ? y.spread(random) : y);
    if (biased == null ? random.nextBoolean() : biased) {
      data.add(Data.normal(random, "bias", groups.experts, n));
    }
    List<Data> exact = new ArrayList<>(data.stream().map(Data::widened).toList());
    data.add(packed(weights, dtype));
    exact.add(packed(weights.stream().map(Data::widened).toList(), DType.F32));
    String all = "%s %s %s".formatted(description, dtype, activation);
    return grouped(all, data, activation).withOracle(grouped(all, exact, activation));
  }

  private static Case grouped(String description, List<Data> data, Activation activation) {
    return Case.of(
        description,
        data,
        of ->
            new GroupedMatmul(
                of.apply("x"),
                of.apply("rows"),
                of.apply("offsets"),
                of.apply("packed"),
                of.apply("bias"),
                activation,
                of.apply("y")));
  }

  /** The experts' weights, packed one after another. */
  private static Data packed(List<Data> weights, DType dtype) {
    List<Data> packed = weights.stream().map(w -> MatmulCases.packed(w, dtype)).toList();
    return joined(
        packed.stream().mapToLong(Data::count).sum(),
        dtype,
        packed.stream().map(Data::contents).toList());
  }

  /** Packed weights one after another. */
  private static Data joined(long count, DType dtype, List<Values> parts) {
    Values all =
        Values.of(() -> parts.stream().flatMapToDouble(v -> Arrays.stream(v.copy())).toArray());
    return Data.vector("packed", dtype, count, all);
  }

  private static Case quantized(long seed, Target target) {
    Random random = Seeds.random(seed);
    // Now and then so small that random calls take it.
    boolean small = random.nextInt(3) == 0;
    BlockFormat format = small ? BlockFormat.int4(32) : FORMATS.get(random.nextInt(FORMATS.size()));
    Groups groups = Groups.random(random, random.nextInt(8) == 0 ? 48 : 9);
    int n = Sizes.any(random, small ? 33 : 65);
    int k = small ? 32 : QuantizedCases.depth(random, format);
    PackedLayout layout = target.layout(format);
    String name = "grouped_quantized_matmul seed " + seed;
    return quantized(name, random, layout, format, groups, n, k);
  }

  /** By the rows that an expert has on average: a few, up to 16, up to 64, more. */
  private static Case quantizedTile(long seed, Target target, boolean deep) {
    Random random = Seeds.random(seed);
    BlockFormat format = QuantizedCases.format(random);
    int[] rows = {9, 33, 64, 200};
    int most = rows[random.nextInt(4)];
    Groups groups =
        most < 64
            ? Groups.random(random, most)
            : Groups.random(
                random, 1 + random.nextInt(3), () -> most / 2 + random.nextInt(most / 2));
    int n = 1 + random.nextInt(deep ? 60 : 200);
    int k = 256 * (deep ? 4 + random.nextInt(3) : 1 + random.nextInt(2));
    String name = "grouped_quantized_matmul seed %d tile".formatted(seed);
    return quantized(name, random, target.layout(format), format, groups, n, k);
  }

  /** A few rows of experts that are many more, each of one row alone. */
  private static Case alone(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = QuantizedCases.format(random);
    int experts = 8 + random.nextInt(9);
    int[] left = {1 + random.nextInt(experts / 4 - 1)};
    Groups groups =
        Groups.random(
            random, experts, () -> left[0] > 0 && random.nextInt(3) == 0 && left[0]-- > 0 ? 1 : 0);
    int n = 1 + random.nextInt(70);
    String name = "grouped_quantized_matmul seed %d alone".formatted(seed);
    return quantized(name, random, target.layout(format), format, groups, n, 256);
  }

  private static Case quantized(
      String name,
      Random random,
      PackedLayout layout,
      BlockFormat format,
      Groups groups,
      int n,
      int k) {
    boolean tile = name.endsWith("tile");
    List<Values> packed =
        random
            .longs(groups.experts)
            .mapToObj(s -> QuantizedCases.packedValues(s, layout, format, n, k))
            .toList();
    DType dtype = tile ? FLOATS[1 + random.nextInt(2)] : some(random);
    Data x = Data.normal(random, "x", groups.tokens, k).withDtype(dtype);
    x = random.nextInt(6) == 0 ? x.with(random, Double.NaN) : x;
    Data y = Data.output("y", groups.places, n).withDtype(some(random));
    List<Data> data = new ArrayList<>(groups.data);
    data.add(!tile && random.nextBoolean() ? x.spread(random) : x);
    data.add(random.nextBoolean() ? y.spread(random) : y);
    data.add(joined(groups.experts * layout.packedBytes(n, k), DType.U8, packed));
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", groups.experts, n));
    }
    // Of few results most may be where an activation is flat, and what a sum may err by would be
    // the luck of one or two.
    Activation drawn =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    Activation activation = groups.places * n < 256 ? Activation.NONE : drawn;
    // Exact ones more often: there are kernels of them for each type.
    QuantizedActivations activations =
        tile && random.nextBoolean()
            ? QuantizedActivations.EXACT
            : QuantizedActivations.values()[random.nextInt(QuantizedActivations.values().length)];
    return Case.of(
        "%s %s %s %s".formatted(name, format, activations, activation),
        data,
        of ->
            new GroupedQuantizedMatmul(
                layout,
                activations,
                of.apply("x"),
                of.apply("rows"),
                of.apply("offsets"),
                of.apply("packed"),
                of.apply("bias"),
                activation,
                of.apply("y")));
  }

  private static Case combine(long seed, boolean vectors) {
    Random random = Seeds.random(seed);
    int tokens = Sizes.any(random, 65);
    int k = random.nextInt(10);
    int places = Sizes.some(random, 65);
    int columns = vectors ? 8 * Sizes.some(random, 33) : Sizes.any(random, 100);
    double[] slots = new double[tokens * k];
    Arrays.setAll(slots, i -> random.nextInt(-1, places));
    Data x = Data.normal(random, "x", places, columns).withDtype(some(random));
    DType dtype = some(random);
    int residual = random.nextInt(3);
    Data y = Data.output("y", tokens, columns).withDtype(dtype);
    if (residual == 1) {
      y = Data.normal(random, "y", tokens, columns).withDtype(dtype).inPlace();
    }
    boolean spread = !vectors && random.nextBoolean();
    List<Data> data = new ArrayList<>();
    data.add(spread ? x.spread(random) : x);
    data.add(Data.normal(random, "weights", tokens, k));
    data.add(Data.rows("places", DType.I32, Values.of(slots), tokens, k));
    data.add(spread ? y.spread(random) : y);
    if (residual == 2) {
      data.add(Data.normal(random, "residual", tokens, columns).withDtype(dtype));
    }
    return Case.of(
        "expert_combine seed %d of %d".formatted(seed, k),
        data,
        of ->
            new ExpertCombine(
                of.apply("x"),
                of.apply("weights"),
                of.apply("places"),
                of.apply(residual == 1 ? "y" : "residual"),
                of.apply("y")));
  }

  private static DType some(Random random) {
    return FLOATS[random.nextInt(FLOATS.length)];
  }

  private static Data ints(String name, double... values) {
    return Data.vector(name, DType.I32, values);
  }

  private static Data output(String name, long... shape) {
    return Data.output(name, shape).withDtype(DType.I32);
  }
}
