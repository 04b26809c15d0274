package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Generator;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Sizes;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;

/** Random products with weights of every block format. */
public final class QuantizedCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final List<BlockFormat> FORMATS = BlockFormat.all().toList();

  // Those that the kernels of compute capability 9.0 take.
  private static final List<BlockFormat> HOPPER_INT4 =
      Stream.of("INT4:128", "INT4:64", "INT4:32", "INT4_ZERO:128", "INT4_ZERO:32", "Q4_0")
          .map(BlockFormat::of)
          .toList();

  private static final List<BlockFormat> HOPPER_INT8 =
      Stream.of("INT8", "Q8_0").map(BlockFormat::of).toList();

  private static final List<QuantizedActivations> EXACT = List.of(QuantizedActivations.EXACT);

  private static final List<QuantizedActivations> CODES =
      List.of(QuantizedActivations.INT8_PER_TOKEN, QuantizedActivations.INT8_BLOCKS);
  private static final List<BlockFormat> CHUNKED =
      Stream.of("INT4_ZERO:32", "INT8", "Q4_1", "INT4:32").map(BlockFormat::of).toList();

  private QuantizedCases() {}

  static List<Generator> generators(Target target) {
    return List.of(
        Generator.of("quantize", QuantizedCases::quantize),
        Generator.of("dequantize", QuantizedCases::dequantize),
        Generator.of("dequantize-bits", s -> bits(s, target, true)).times(0.7),
        Generator.of("quantized_pack", s -> pack(s, target)).times(1.5),
        Generator.of("quantized_pack-bits", s -> bits(s, target, false)).times(0.7),
        Generator.of("quantize_tokens", QuantizedCases::tokens),
        Generator.of("quantized_matmul", s -> matmul(s, target)).times(2),
        Generator.of("quantized_matmul-chunks", s -> chunks(s, target)).times(0.15),
        Generator.of("block_matmul", QuantizedCases::unpacked).times(2));
  }

  /** Products that tiles of tensor cores take, some so deep that several blocks share a tile. */
  static List<Generator> tiles(Target target) {
    return List.of(
        Generator.of("quantized_matmul", s -> tile(s, target, false)).times(2),
        Generator.of("quantized_matmul-deep", s -> tile(s, target, true)).times(1.6),
        Generator.of("quantized_matmul-rows", s -> rows(s, target)).times(0.6),
        // Each format once at least.
        Generator.of("quantized_pack-bits", s -> bits(s, target, false))
            .times(FORMATS.size() / 8.0),
        Generator.of("quantized_matmul-ends", s -> ends(s, target)).times(0.2),
        // On compute capability 9.0 few others of so many tokens come to these tiles.
        Generator.of("quantized_matmul-minima", s -> minima(s, target))
            .times(target.capability() == 90 ? 0.8 : 0.1));
  }

  /** One of the formats, of 4 bits as often as of 8. */
  static BlockFormat format(Random random) {
    int bits = random.nextBoolean() ? 4 : 8;
    List<BlockFormat> some = FORMATS.stream().filter(f -> f.wideLayout().bits() == bits).toList();
    return some.get(random.nextInt(some.size()));
  }

  /** A number of whole blocks of a format, and of 8. */
  private static int depth(Random random, BlockFormat format, int least, int more) {
    int block = format.equals(BlockFormat.INT8) ? 8 : format.blockSize(0);
    return block * (Math.ceilDiv(least, block) + random.nextInt(Math.ceilDiv(more, block)));
  }

  private static Case tile(long seed, Target target, boolean deep) {
    Random random = Seeds.random(seed);
    BlockFormat format = format(random);
    int[] most = {8, 16, 64, 150};
    int size = random.nextInt(4);
    int least = size == 0 ? 1 : most[size - 1] + 1;
    int m = least + random.nextInt(most[size] + 1 - least);
    int n = 1 + random.nextInt(deep ? 64 : 200);
    int k = deep ? depth(random, format, 1024, 900) : 256 * (1 + random.nextInt(2));
    DType dtype = FLOATS[1 + random.nextInt(2)];
    Data x = Data.normal(random, "x", m, k).withDtype(dtype);
    String name = "quantized_matmul seed %d tile%s".formatted(seed, deep ? " deep" : "");
    // Exact ones more often: there are kernels of them for each type.
    return random.nextBoolean()
        ? product(random, target, name, format, EXACT, x, n)
        : product(random, target, name, format, x, n);
  }

  /** Up to 8 rows in F32, which the kernels that read codes fastest take. */
  private static Case rows(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = format(random);
    int[] sizes = {1, 2 + random.nextInt(3), 5 + random.nextInt(4)};
    Data x = Data.normal(random, "x", sizes[random.nextInt(3)], depth(random, format, 1, 600));
    int n = 1 + random.nextInt(100);
    return product(random, target, "quantized_matmul seed " + seed + " rows", format, EXACT, x, n);
  }

  /** Up to 8 rows that begin where vectors may, and end inside of one. */
  private static Case ends(long seed, Target target) {
    Random random = Seeds.random(seed);
    int k = 8 * (2 + random.nextInt(20)) - 1 - random.nextInt(7);
    Data x = Data.normal(random, "x", 2 + random.nextInt(7), k);
    DType dtype = FLOATS[(int) Math.floorMod(seed, 3L)];
    return product(
        random,
        target,
        "quantized_matmul seed " + seed + " ends",
        BlockFormat.INT8,
        EXACT,
        x.withDtype(dtype).withStrides(Math.ceilDiv(k, 8) * 8L, 1),
        1 + random.nextInt(100));
  }

  /** Formats whose blocks have a least value, exact, by the larger tiles. */
  private static Case minima(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = BlockFormat.of(seed % 2 == 0 ? "Q4_1" : "Q5_1");
    boolean deep = random.nextBoolean();
    int m = random.nextBoolean() ? 17 + random.nextInt(48) : 65 + random.nextInt(86);
    int k = deep ? depth(random, format, 1024, 900) : depth(random, format, 1, 300);
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[1 + (int) (seed / 2 % 2)]);
    int n = 1 + random.nextInt(deep ? 64 : 200);
    return product(
        random, target, "quantized_matmul seed " + seed + " minima", format, EXACT, x, n);
  }

  /** Products that fill Hopper's tiles, some deeper than its ring of them, and others. */
  static List<Generator> hopper(Target target) {
    return List.of(
        Generator.of("quantized_matmul-others", s -> tile(s, target, false)).times(4),
        Generator.of("quantized_matmul", s -> hopper(s, target, false)),
        Generator.of("quantized_matmul-deep", s -> hopper(s, target, true)).times(0.45));
  }

  private static Case hopper(long seed, Target target, boolean deep) {
    Random random = Seeds.random(seed);
    // Each kernel in turn: codes of tokens, and BF16 and F16 by weights of 4 and 8 bits; 128 tokens
    // and 64, those also with few features, where they fill the device split along k.
    int kind = (int) (seed % 5);
    int way = (int) (seed / 5 % (deep ? 3 : 2));
    boolean large = way == 0;
    int splits = way == 2 ? 2 + random.nextInt(3) : 1;
    List<BlockFormat> formats =
        kind == 0 ? List.of(BlockFormat.INT8) : kind < 3 ? HOPPER_INT4 : HOPPER_INT8;
    BlockFormat format = formats.get(random.nextInt(formats.size()));
    boolean whole = format.equals(BlockFormat.INT8);
    int step = Math.max(128, whole ? 0 : format.blockSize(0));
    int least = splits > 1 ? splits * 4 * step : kind == 0 ? 1600 : 1024;
    int k = deep ? depth(random, format, least, 600) : depth(random, format, 1, 260);
    int m = large ? 65 + random.nextInt(200) : 33 + random.nextInt(32);
    int rows = large ? Math.ceilDiv(m, 128) : 1;
    int half = Math.ceilDiv(target.multiprocessors(), 2 * rows);
    // More than half of the multiprocessors, where none is to be split.
    int columns =
        splits > 1 ? Math.max(1, target.multiprocessors() / splits) : large ? half : half + 1;
    int n = 256 * (columns - 1) + 1 + random.nextInt(256);
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[1 + kind % 2]);
    List<QuantizedActivations> choice =
        kind == 0 ? List.of(QuantizedActivations.INT8_PER_TOKEN) : EXACT;
    String name = "quantized_matmul seed %d hopper%s".formatted(seed, deep ? " deep" : "");
    return product(random, target, name, format, choice, x, n);
  }

  private static Case quantize(long seed) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int n = Sizes.any(random, 9);
    int k = depth(random, format);
    Data weight = Data.normal(random, "weight", n, k).withDtype(FLOATS[random.nextInt(3)]);
    long[] shape = {n, format.rowBytes(k)};
    return Case.exact(
            "quantize seed %d %s".formatted(seed, format),
            List.of(
                random.nextBoolean() ? weight.spread(random) : weight.withStrides(1, n),
                Data.output("blocks", shape).withDtype(DType.U8)),
            of -> new Quantize(of.apply("weight"), format, of.apply("blocks")))
        .likeItself();
  }

  private static Case dequantize(long seed) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int n = Sizes.any(random, 33);
    int k = depth(random, format);
    long[] shape = {n, format.rowBytes(k)};
    Data blocks = Data.rows("blocks", DType.U8, blocks(random, format, n, k), shape);
    return Case.exact(
        "dequantize seed %d %s".formatted(seed, format),
        List.of(random.nextBoolean() ? blocks.spread(random) : blocks, Data.output("weight", n, k)),
        of -> new Dequantize(format, of.apply("blocks"), of.apply("weight")));
  }

  private static Case pack(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get((int) Math.floorMod(seed, (long) FORMATS.size()));
    int n = Sizes.any(random, 65);
    int k = depth(random, format);
    Data rows = Data.rows("blocks", DType.U8, blocks(random, format, n, k), n, format.rowBytes(k));
    PackedLayout layout = target.layout(format);
    long bytes = layout.packedBytes(n, k);
    return Case.exact(
        "quantized_pack seed %d %s".formatted(seed, format),
        List.of(
            random.nextBoolean() ? rows.spread(random) : rows,
            Data.output("packed", bytes).withDtype(DType.U8)),
        of -> new QuantizedPack(format, layout, k, of.apply("blocks"), of.apply("packed")));
  }

  /** Blocks that no quantiser of ours makes: codes, scales and zero points of any bits. */
  private static Case bits(long seed, Target target, boolean dequantize) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get((int) Math.floorMod(seed, (long) FORMATS.size()));
    int n = 1 + random.nextInt(40);
    int k =
        format.equals(BlockFormat.INT8)
            ? 1 + random.nextInt(70)
            : format.blockSize(0) * (1 + random.nextInt(2));
    long own = random.nextLong();
    Values made = Values.of(() -> values(AnyBlocks.of(own, format, n, k, dequantize)));
    Data blocks = Data.rows("blocks", DType.U8, made, n, format.rowBytes(k));
    if (dequantize) {
      return Case.exact(
          "dequantize seed %d %s of any bits".formatted(seed, format),
          List.of(blocks, Data.output("weight", n, k)),
          of -> new Dequantize(format, of.apply("blocks"), of.apply("weight")));
    }
    PackedLayout layout = target.layout(format);
    long bytes = layout.packedBytes(n, k);
    return Case.exact(
        "quantized_pack seed %d %s of any bits".formatted(seed, format),
        List.of(blocks, Data.output("packed", bytes).withDtype(DType.U8)),
        of -> new QuantizedPack(format, layout, k, of.apply("blocks"), of.apply("packed")));
  }

  private static Case tokens(long seed) {
    Random random = Seeds.random(seed);
    int rows = Sizes.any(random, 33);
    int columns = random.nextInt(4) == 0 ? 500 + random.nextInt(800) : Sizes.any(random, 100);
    double scale = new double[] {1, 1, 30, 1e-38, 1e15, 0}[random.nextInt(6)];
    Data x =
        Data.input(random, "x", r -> scale * r.nextGaussian(), rows, columns)
            .withDtype(FLOATS[random.nextInt(3)]);
    if (random.nextInt(4) == 0) {
      x = x.with(random, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
    }
    boolean calibrated = random.nextBoolean();
    List<Data> data = new ArrayList<>();
    data.add(random.nextBoolean() ? x.spread(random) : x);
    Data codes = bytes("codes", null, rows, columns);
    data.add(random.nextBoolean() ? codes.spread(random) : codes);
    data.add(
        calibrated
            ? Data.input(random, "scales", QuantizedCases::given, 1)
            : Data.output("scales", rows));
    if (random.nextBoolean()) {
      data.add(calibrated ? Data.normal(random, "offsets", 1) : Data.output("offsets", rows));
    }
    return Case.exact(
        "quantize_tokens seed %d%s".formatted(seed, calibrated ? " calibrated" : ""),
        data,
        of -> new QuantizeTokens(of.apply("x"), codes(of, calibrated)));
  }

  /** Where tokens go as codes, of operands "codes", "scales" and perhaps "offsets". */
  public static TokenCodes codes(Function<String, Operand> of, boolean calibrated) {
    return new TokenCodes(
        of.apply("codes"),
        new ActivationCodes(of.apply("scales"), of.apply("offsets")),
        calibrated);
  }

  /** A scale that was found beforehand, now and then one that is none. */
  private static double given(Random random) {
    return random.nextInt(5) > 0
        ? 0.03 * random.nextDouble()
        : new double[] {0, 1e-38, -0.01, Double.NaN, Double.POSITIVE_INFINITY}[random.nextInt(5)];
  }

  /** Signed bytes; an output without values. */
  public static Data bytes(String name, Values values, long... shape) {
    return new Data(name, DType.I8, shape, Operand.rowMajor(shape), values, values == null);
  }

  private static Case matmul(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int m = random.nextInt(8) == 0 ? 115 + random.nextInt(20) : Sizes.any(random, 33);
    int n = Sizes.any(random, 65);
    int k = depth(random, format);
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[random.nextInt(3)]);
    return product(
        random,
        target,
        "quantized_matmul seed " + seed,
        format,
        random.nextBoolean() ? x.spread(random) : x,
        n);
  }

  /** More tokens than the processor converts at a time, of formats with minima and without. */
  private static Case chunks(long seed, Target target) {
    Random random = Seeds.random(seed);
    BlockFormat format = CHUNKED.get(Math.floorMod(seed, CHUNKED.size()));
    int m = 513 + random.nextInt(60);
    Data x = Data.normal(random, "x", m, 64).withDtype(FLOATS[random.nextInt(3)]);
    String name = "quantized_matmul chunks seed " + seed;
    return product(
        random, target, name, format, seed % 2 == 0 ? EXACT : CODES, x, 1 + random.nextInt(40));
  }

  /** A product with blocks as they lie in a file, each format in turn. */
  private static Case unpacked(long seed) {
    Random random = Seeds.random(seed);
    BlockFormat format = FORMATS.get((int) Math.floorMod(seed, (long) FORMATS.size()));
    int m = random.nextInt(12) == 0 ? 115 + random.nextInt(450) : Sizes.any(random, 33);
    int n = Sizes.any(random, m > 33 ? 40 : 100);
    int k = m > 150 ? format.equals(BlockFormat.INT8) ? 70 : 256 : depth(random, format);
    k = seed % 16 == 11 ? 0 : k;
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[random.nextInt(3)]);
    x = random.nextInt(6) == 0 ? x.with(random, Double.NaN) : x;
    Data rows = Data.rows("blocks", DType.U8, blocks(random, format, n, k), n, format.rowBytes(k));
    Data y = Data.output("y", m, n).withDtype(FLOATS[random.nextInt(3)]);
    List<Data> data = new ArrayList<>();
    data.add(random.nextBoolean() ? x.spread(random) : x);
    data.add(random.nextBoolean() ? rows.spread(random) : rows);
    data.add(random.nextBoolean() ? y.spread(random) : y);
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    QuantizedActivations activations = QuantizedActivations.values()[random.nextInt(3)];
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    return Case.of(
        "block_matmul seed %d %s %s %s".formatted(seed, format, activations, activation),
        data,
        of ->
            new BlockMatmul(
                format,
                activations,
                of.apply("x"),
                of.apply("blocks"),
                of.apply("bias"),
                activation,
                of.apply("y")));
  }

  /** A product of x with a random weight of n output features. */
  private static Case product(
      Random random, Target target, String name, BlockFormat format, Data x, int n) {
    return product(random, target, name, format, List.of(QuantizedActivations.values()), x, n);
  }

  /** The same, in one of some ways. */
  static Case product(
      Random random,
      Target target,
      String name,
      BlockFormat format,
      List<QuantizedActivations> choice,
      Data x,
      int n) {
    PackedLayout layout = target.layout(format);
    int m = (int) x.shape()[0];
    int k = (int) x.shape()[1];
    List<Data> data = new ArrayList<>();
    QuantizedActivations activations = choice.get(random.nextInt(choice.size()));
    boolean coded = activations == QuantizedActivations.INT8_PER_TOKEN && random.nextBoolean();
    if (coded) {
      Values codes = Values.drawn(random.nextLong(), m * k, r -> r.nextInt(-127, 128));
      data.add(bytes("x", codes, m, k).withStrides(x.strides()));
      int scales = random.nextBoolean() ? m : 1;
      Data scale = Data.normal(random, "scales", scales);
      data.add(random.nextInt(6) == 0 ? scale.with(random, Double.NaN) : scale);
      if (layout.scales() == PackedLayout.Scales.F32_SUM && random.nextBoolean()) {
        data.add(Data.normal(random, "offsets", scales));
      }
    } else {
      data.add(random.nextInt(6) == 0 ? x.with(random, Double.NaN) : x);
    }
    data.add(packed(random, target, format, n, k));
    Data y = Data.output("y", m, n).withDtype(FLOATS[random.nextInt(3)]);
    y = random.nextBoolean() ? y.spread(random) : y;
    int residual = random.nextInt(4);
    if (residual == 0) {
      data.add(Data.normal(random, "residual", m, n).withDtype(y.dtype()).spread(random));
    }
    if (residual == 1) {
      y = y.withValues(Data.normal(random, "y", m, n).withDtype(y.dtype()).contents());
    }
    data.add(y);
    if (random.nextBoolean()) {
      data.add(Data.normal(random, "bias", n));
    }
    Activation activation =
        Activation.values()[random.nextInt(2) * random.nextInt(Activation.values().length)];
    return Case.of(
        "%s %s %s %s%s".formatted(name, format, activations, activation, coded ? " codes" : ""),
        data,
        of ->
            new QuantizedMatmul(
                layout,
                activations,
                of.apply("x"),
                coded ? new ActivationCodes(of.apply("scales"), of.apply("offsets")) : null,
                of.apply("packed"),
                of.apply("bias"),
                activation,
                of.apply(residual == 1 ? "y" : "residual"),
                of.apply("y")));
  }

  static int depth(Random random, BlockFormat format) {
    if (format.equals(BlockFormat.INT8)) {
      return random.nextInt(5) == 0 ? 500 + random.nextInt(600) : Sizes.any(random, 100);
    }
    int block = format.blockSize(0);
    return block * random.nextInt(Math.max(2, 600 / block) + 1);
  }

  /** A format that kernels have packed so. */
  public static BlockFormat format(Kernels kernels, PackedLayout layout) {
    return FORMATS.stream().filter(f -> kernels.layout(f).equals(layout)).findFirst().orElseThrow();
  }

  /** A random weight [n, k] as it is packed. */
  public static Data packed(Random random, Target target, BlockFormat format, int n, int k) {
    PackedLayout layout = target.layout(format);
    Values values = packedValues(random.nextLong(), layout, format, n, k);
    return Data.vector("packed", DType.U8, layout.packedBytes(n, k), values);
  }

  static Values packedValues(long seed, PackedLayout layout, BlockFormat format, int n, int k) {
    return Values.of(
        () -> {
          byte[] packed = new byte[(int) layout.packedBytes(n, k)];
          MemorySegment blocks = MemorySegment.ofArray(blocks(seed, format, n, k));
          MemorySegment into = MemorySegment.ofArray(packed);
          Packer.pack(format, layout, blocks, format.rowBytes(k), n, k, into);
          return values(packed);
        });
  }

  private static Values blocks(Random random, BlockFormat format, int n, int k) {
    long seed = random.nextLong();
    return Values.of(() -> values(blocks(seed, format, n, k)));
  }

  private static byte[] blocks(long seed, BlockFormat format, int n, int k) {
    byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
    Quantizer.quantize(
        format,
        (row, x) -> {
          Random values = Seeds.random(seed + row);
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) values.nextGaussian();
          }
        },
        n,
        k,
        MemorySegment.ofArray(blocks));
    return blocks;
  }

  private static double[] values(byte... bytes) {
    double[] values = new double[bytes.length];
    Arrays.setAll(values, i -> bytes[i]);
    return values;
  }
}
