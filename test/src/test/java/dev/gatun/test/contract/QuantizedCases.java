package dev.gatun.test.contract;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Random products with weights of every block format. */
final class QuantizedCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final List<BlockFormat> FORMATS = BlockFormat.all().toList();

  /** Those that the kernels of compute capability 9.0 take. */
  private static final List<BlockFormat> HOPPER_FORMATS =
      Stream.of("INT8", "INT4:128", "INT4:64", "INT4:32", "INT4_ZERO:128", "Q4_0", "Q8_0")
          .map(BlockFormat::of)
          .toList();

  private QuantizedCases() {}

  static Stream<Case> cases(long seed, int count) {
    return LongStream.range(seed, seed + count)
        .boxed()
        .flatMap(
            s ->
                Stream.of(
                    quantize(s),
                    dequantize(s),
                    pack(s),
                    tokens(s),
                    matmul(s),
                    matmul(s + (1L << 40))));
  }

  /** Products that tiles of tensor cores take, some so deep that several blocks share a tile. */
  static Stream<Case> tiles(long seed, int count) {
    return LongStream.range(seed, seed + count).mapToObj(QuantizedCases::tile);
  }

  private static Case tile(long seed) {
    Random random = new Random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int m = random.nextInt(4) == 0 ? 1 + random.nextInt(150) : Sizes.some(random, 33);
    int n = 1 + random.nextInt(200);
    int k = 256 * (1 + random.nextInt(random.nextInt(3) == 0 ? 9 : 2));
    DType dtype = FLOATS[1 + random.nextInt(2)];
    Data x = Data.normal(random, "x", m, k).withDtype(dtype);
    return product(random, "quantized_matmul seed " + seed + " tile", format, x, n);
  }

  /** Products that fill Hopper's tiles, some deeper than its ring of them. */
  static Stream<Case> hopper(long seed, int count) {
    return LongStream.range(seed, seed + count).mapToObj(QuantizedCases::hopper);
  }

  private static Case hopper(long seed) {
    Random random = new Random(seed);
    BlockFormat format = HOPPER_FORMATS.get(random.nextInt(HOPPER_FORMATS.size()));
    int m = random.nextBoolean() ? 33 + random.nextInt(32) : 65 + random.nextInt(200);
    int n = 257 + random.nextInt(300);
    int block = format.equals(BlockFormat.INT8) ? 8 : format.blockSize(0);
    int k = block * (1 + random.nextInt((random.nextBoolean() ? 200 : 1100) / block));
    // Few features fill the device where they are split along k.
    if (m < 65 && random.nextBoolean()) {
      n = 1 + random.nextInt(256);
      k = 1024 + block * random.nextInt(400 / block);
    }
    // Large enough for a real device now and then, with either tile.
    if (random.nextInt(20) == 0) {
      m = 900 + random.nextInt(900);
      n = 1300;
      k = 128;
    }
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[1 + random.nextInt(2)]);
    List<QuantizedActivations> choice =
        format.equals(BlockFormat.INT8)
            ? List.of(QuantizedActivations.EXACT, QuantizedActivations.INT8_PER_TOKEN)
            : List.of(QuantizedActivations.EXACT);
    return product(random, "quantized_matmul seed " + seed + " hopper", format, choice, x, n);
  }

  private static Case quantize(long seed) {
    Random random = new Random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int n = Sizes.any(random, 9);
    int k = depth(random, format);
    Data weight = Data.normal(random, "weight", n, k).withDtype(FLOATS[random.nextInt(3)]);
    long[] shape = {n, format.rowBytes(k)};
    return Case.exact(
            "quantize seed %d %s".formatted(seed, format),
            List.of(
                random.nextBoolean() ? weight.spread(random) : weight.withStrides(1, n),
                new Data("blocks", DType.U8, shape, Operand.rowMajor(shape), null, true)),
            of -> new Quantize(of.apply("weight"), format, of.apply("blocks")))
        .likeItself();
  }

  private static Case dequantize(long seed) {
    Random random = new Random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int n = Sizes.any(random, 33);
    int k = depth(random, format);
    long[] shape = {n, format.rowBytes(k)};
    Data blocks =
        new Data(
            "blocks",
            DType.U8,
            shape,
            Operand.rowMajor(shape),
            values(blocks(random, format, n, k)),
            false);
    return Case.exact(
        "dequantize seed %d %s".formatted(seed, format),
        List.of(random.nextBoolean() ? blocks.spread(random) : blocks, Data.output("weight", n, k)),
        of -> new Dequantize(format, of.apply("blocks"), of.apply("weight")));
  }

  private static Case pack(long seed) {
    Random random = new Random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int n = Sizes.any(random, 65);
    int k = depth(random, format);
    byte[] blocks = blocks(random, format, n, k);
    Data rows =
        new Data(
            "blocks",
            DType.U8,
            new long[] {n, format.rowBytes(k)},
            new long[] {format.rowBytes(k), 1},
            values(blocks),
            false);
    long bytes = format.layout().packedBytes(n, k);
    return Case.exact(
        "quantized_pack seed %d %s".formatted(seed, format),
        List.of(
            random.nextBoolean() ? rows.spread(random) : rows,
            new Data("packed", DType.U8, new long[] {bytes}, new long[] {1}, null, true)),
        of -> new QuantizedPack(format, k, of.apply("blocks"), of.apply("packed")));
  }

  private static Case tokens(long seed) {
    Random random = new Random(seed);
    int rows = Sizes.any(random, 33);
    int columns = random.nextInt(4) == 0 ? 500 + random.nextInt(800) : Sizes.any(random, 100);
    double scale = new double[] {1, 1, 30, 1e-38, 1e15, 0}[random.nextInt(6)];
    Data x =
        Data.input("x", () -> scale * random.nextGaussian(), rows, columns)
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
        calibrated ? Data.input("scales", () -> given(random), 1) : Data.output("scales", rows));
    if (random.nextBoolean()) {
      data.add(calibrated ? Data.normal(random, "offsets", 1) : Data.output("offsets", rows));
    }
    return Case.exact(
        "quantize_tokens seed %d%s".formatted(seed, calibrated ? " calibrated" : ""),
        data,
        of -> new QuantizeTokens(of.apply("x"), codes(of, calibrated)));
  }

  /** Where tokens go as codes, of operands "codes", "scales" and perhaps "offsets". */
  static TokenCodes codes(Function<String, Operand> of, boolean calibrated) {
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
  static Data bytes(String name, double[] values, long... shape) {
    return new Data(name, DType.I8, shape, Operand.rowMajor(shape), values, values == null);
  }

  private static Case matmul(long seed) {
    Random random = new Random(seed);
    BlockFormat format = FORMATS.get(random.nextInt(FORMATS.size()));
    int m = random.nextInt(8) == 0 ? 115 + random.nextInt(20) : Sizes.any(random, 33);
    int n = Sizes.any(random, 65);
    int k = depth(random, format);
    Data x = Data.normal(random, "x", m, k).withDtype(FLOATS[random.nextInt(3)]);
    return product(
        random,
        "quantized_matmul seed " + seed,
        format,
        random.nextBoolean() ? x.spread(random) : x,
        n);
  }

  /** A product of x with a random weight of n output features. */
  private static Case product(Random random, String name, BlockFormat format, Data x, int n) {
    return product(random, name, format, List.of(QuantizedActivations.values()), x, n);
  }

  private static Case product(
      Random random,
      String name,
      BlockFormat format,
      List<QuantizedActivations> choice,
      Data x,
      int n) {
    PackedLayout layout = format.layout();
    int m = (int) x.shape()[0];
    int k = (int) x.shape()[1];
    double[] packed = packed(random, format, n, k);
    List<Data> data = new ArrayList<>();
    QuantizedActivations activations = choice.get(random.nextInt(choice.size()));
    boolean coded = activations == QuantizedActivations.INT8_PER_TOKEN && random.nextBoolean();
    if (coded) {
      double[] codes = random.doubles((long) m * k, -127, 128).map(Math::floor).toArray();
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
    data.add(
        new Data("packed", DType.U8, new long[] {packed.length}, new long[] {1}, packed, false));
    Data y = Data.output("y", m, n).withDtype(FLOATS[random.nextInt(3)]);
    y = random.nextBoolean() ? y.spread(random) : y;
    int residual = random.nextInt(4);
    if (residual == 0) {
      data.add(Data.normal(random, "residual", m, n).withDtype(y.dtype()).spread(random));
    }
    if (residual == 1) {
      y = y.withValues(Data.normal(random, "y", m, n).withDtype(y.dtype()).values());
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

  /** The bytes of a random weight [n, k] as it is packed. */
  static double[] packed(Random random, BlockFormat format, int n, int k) {
    byte[] packed = new byte[(int) format.layout().packedBytes(n, k)];
    Packer.pack(
        format,
        MemorySegment.ofArray(blocks(random, format, n, k)),
        format.rowBytes(k),
        n,
        k,
        MemorySegment.ofArray(packed));
    return values(packed);
  }

  private static byte[] blocks(Random random, BlockFormat format, int n, int k) {
    byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
    long seed = random.nextLong();
    Quantizer.quantize(
        format,
        (row, x) -> {
          Random values = new Random(seed + row);
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) values.nextGaussian();
          }
        },
        n,
        k,
        MemorySegment.ofArray(blocks));
    return blocks;
  }

  private static double[] values(byte[] bytes) {
    double[] values = new double[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i];
    }
    return values;
  }
}
