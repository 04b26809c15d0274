package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Seeds;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Products with weights of random codes in every layout, also those that no block format has. */
final class LayoutCases {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};
  private static final QuantizedActivations[] WAYS = QuantizedActivations.values();
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Layouts of each width, with and without whole rows, and with each kind of scales. */
  private static final List<PackedLayout> LAYOUTS =
      Stream.of(PackedLayout.Scales.values())
          .flatMap(
              scales ->
                  Stream.of(4, 5, 6, 8)
                      .filter(bits -> bits == 4 || scales != PackedLayout.Scales.F16_ZERO)
                      .flatMap(
                          bits ->
                              Stream.of(0, 16, 32, 48, 256)
                                  .filter(
                                      group ->
                                          group == 0 ? bits == 8 : bits != 5 || group % 32 == 0)
                                  .filter(
                                      group -> !scales.areShared() || group > 0 && 256 % group == 0)
                                  .map(group -> new PackedLayout(bits, group, scales))))
          .toList();

  private LayoutCases() {}

  /** Weights that are packed as the layout says, of random codes. */
  static Case layouts(long seed, Target target) {
    Random random = Seeds.random(seed);
    List<PackedLayout> layouts = LAYOUTS.stream().filter(target::reads).toList();
    PackedLayout layout = layouts.get((int) Math.floorMod(seed, (long) layouts.size()));
    QuantizedActivations way = WAYS[(int) Math.floorMod(seed / layouts.size(), (long) WAYS.length)];
    return layouts(seed, random, layout, way);
  }

  /** Weights of several groups that have the sums of their elements beside them. */
  static Case sums(long seed) {
    int bits = seed % 2 == 0 ? 4 : 8;
    PackedLayout layout = new PackedLayout(bits, 48, PackedLayout.Scales.F32_SUM);
    QuantizedActivations way = WAYS[(int) Math.floorMod(seed / 2, (long) WAYS.length)];
    return layouts(seed, Seeds.random(seed), layout, way);
  }

  /**
   * Codes of so many rows that those of a weight are taken apart for all: rows that are no whole
   * words of codes, and such as have the sums of their elements beside them.
   */
  static Case runs(long seed) {
    Random random = Seeds.random(seed);
    boolean summed = seed % 2 == 0;
    PackedLayout.Scales scales = summed ? PackedLayout.Scales.F32_SUM : PackedLayout.Scales.F32_MIN;
    int k = summed ? 64 : 4 * (1 + random.nextInt(7)) + 1 + random.nextInt(3);
    QuantizedActivations way = WAYS[summed ? 2 : 1 + (int) Math.floorMod(seed / 2, 2L)];
    int m = 17 + random.nextInt(30);
    return product(seed, random, new PackedLayout(8, 0, scales), way, m, k);
  }

  private static Case layouts(
      long seed, Random random, PackedLayout layout, QuantizedActivations way) {
    int whole = 1 + random.nextInt(random.nextBoolean() ? 31 : 90);
    int unit = layout.depthUnit() == 0 ? whole : layout.depthUnit();
    int k = layout.depthUnit() == 0 ? unit : unit * (1 + random.nextInt(4));
    int m = random.nextBoolean() ? 1 + random.nextInt(6) : 13 + random.nextInt(30);
    return product(seed, random, layout, way, m, k);
  }

  private static Case product(
      long seed, Random random, PackedLayout layout, QuantizedActivations way, int m, int k) {
    int n = 1 + random.nextInt(50);
    long packing = random.nextLong();
    Values packed = Values.of(() -> packed(layout, n, k, packing));
    DType y = FLOATS[random.nextInt(3)];
    return Case.of(
        "quantized_matmul seed %d %s %s".formatted(seed, layout, way),
        List.of(
            Data.normal(random, "x", m, k).withDtype(FLOATS[random.nextInt(3)]),
            Data.vector("packed", DType.U8, layout.packedBytes(n, k), packed),
            Data.output("y", m, n).withDtype(y)),
        of ->
            new QuantizedMatmul(
                layout,
                way,
                of.apply("x"),
                of.apply("packed"),
                null,
                Activation.NONE,
                of.apply("y")));
  }

  private static double[] packed(PackedLayout layout, int n, int k, long seed) {
    Random random = new Random(seed);
    byte[] packed = new byte[(int) layout.packedBytes(n, k)];
    MemorySegment memory = MemorySegment.ofArray(packed);
    long size = layout.groupSize(k);
    for (int feature = 0;
        feature < Math.ceilDiv(n, PackedLayout.PANEL) * PackedLayout.PANEL;
        feature++) {
      int at = feature % PackedLayout.PANEL;
      for (long g = 0; g < layout.groups(k); g++) {
        int record = (int) layout.record(feature / PackedLayout.PANEL, g, k);
        float scale =
            Float.float16ToFloat(Float.floatToFloat16(0.02f + 0.05f * random.nextFloat()));
        scale = feature < n ? scale : 0;
        int sum = 0;
        int half = 1 << (layout.bits() - 1);
        long filled = layout.bits() == 8 ? Math.ceilDiv(size, 4) * 4 : size;
        for (long i = 0; i < filled; i++) {
          int code = feature < n && i < size ? random.nextInt(2 * half) - half : 0;
          sum += code;
          int low = layout.bits() == 8 ? 255 : 15;
          packed[record + (int) layout.codeByte(at, g, i, k)] |=
              (byte) ((code + half & low) << layout.codeShift(i));
          if (layout.upperBits() > 0) {
            packed[record + (int) layout.upperByte(at, g, i, k)] |=
                (byte) ((code + half >> 4) << layout.upperShift(i));
          }
        }
        int place = record + layout.scaleByte(at);
        int beside = record + layout.besideByte(at);
        short halfScale = Float.floatToFloat16(scale);
        short halfMin = Float.floatToFloat16(feature < n ? (float) random.nextGaussian() : 0);
        switch (layout.scales()) {
          case F16 -> memory.set(SHORT, place, halfScale);
          case F16_ZERO -> {
            memory.set(SHORT, place, halfScale);
            packed[beside] = (byte) (feature < n ? random.nextInt(15) - 7 : 0);
          }
          case F32 -> memory.set(FLOAT, place, scale);
          case F32_MIN -> {
            memory.set(FLOAT, place, scale);
            memory.set(FLOAT, beside, Float.float16ToFloat(halfMin));
          }
          case F32_SUM -> {
            memory.set(FLOAT, place, scale);
            memory.set(FLOAT, beside, scale * sum);
          }
          case F16_MIN -> {
            memory.set(SHORT, place, halfScale);
            memory.set(SHORT, beside, halfMin);
          }
          case F16_BYTE, F16_BYTE_MIN -> {
            boolean minimum = layout.scales() == PackedLayout.Scales.F16_BYTE_MIN;
            for (int which = 0; which < (minimum ? 2 : 1); which++) {
              packed[record + layout.groupByte(at, g, which)] =
                  (byte) (feature < n ? random.nextInt(256) : 0);
            }
            memory.set(SHORT, place, Float.floatToFloat16(scale / 64));
            if (minimum) {
              memory.set(SHORT, beside, halfMin);
            }
          }
        }
      }
    }
    double[] values = new double[packed.length];
    for (int i = 0; i < packed.length; i++) {
      values[i] = packed[i];
    }
    return values;
  }
}
