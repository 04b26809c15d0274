package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.PackedLayout;
import java.lang.foreign.MemorySegment;

/** One panel of a packed weight. */
final class Panel {
  private final PackedLayout layout;
  private final long inFeatures;
  private final MemorySegment memory;
  private final int groupSize;

  Panel(PackedLayout layout, long inFeatures, MemorySegment packed, long panel) {
    this.layout = layout;
    this.inFeatures = inFeatures;
    this.groupSize = Math.toIntExact(layout.groupSize(inFeatures));
    this.memory =
        packed.asSlice(
            layout.record(panel, 0, inFeatures),
            layout.packedBytes(PackedLayout.PANEL, inFeatures));
  }

  /** Makes every code and scale 0. */
  void clear() {
    for (long g = 0; g < layout.groups(inFeatures); g += layout.groupsOfRecord()) {
      MemorySegment record = memory.asSlice(record(g), layout.recordBytes(inFeatures));
      record.fill((byte) 0);
      if (layout.upperBits() == 0) {
        int zero = layout.bits() == 8 ? 0x80 : 0x88;
        record.asSlice(layout.headerBytes()).fill((byte) zero);
      }
    }
    if (layout.upperBits() > 0) {
      for (int f = 0; f < PackedLayout.PANEL; f++) {
        for (long k = 0; k < inFeatures; k++) {
          writeCode(f, k / groupSize, k % groupSize, 1 << layout.bits() - 1);
        }
      }
    }
  }

  private long record(long g) {
    return layout.record(0, g, inFeatures);
  }

  /**
   * Writes the b-th block of a feature.
   *
   * @param centre what is taken off its codes
   */
  void write(int feature, long b, Block block, int centre) {
    int offset = (1 << layout.bits() - 1) - centre;
    for (int begin = 0; begin < block.size(); begin += groupSize) {
      long g = (b * block.size() + begin) / groupSize;
      int own = begin / block.group();
      writeScales(g, feature, block, own, centre);
      if (layout.scales() == PackedLayout.Scales.F32_SUM) {
        long sum = 0;
        for (int i = begin; i < begin + groupSize; i++) {
          sum += block.codes[i];
        }
        float elements = (float) ((double) block.scales[own] * sum);
        Bytes.setF32(memory, record(g) + layout.besideByte(feature), elements);
      }
      for (int i = 0; i < groupSize; i++) {
        writeCode(feature, g, i, block.codes[begin + i] + offset);
      }
    }
  }

  private void writeScales(long g, int feature, Block block, int own, int moved) {
    long at = record(g);
    long scale = at + layout.scaleByte(feature);
    long beside = at + layout.besideByte(feature);
    switch (layout.scales()) {
      case F32, F32_SUM -> Bytes.setF32(memory, scale, block.scales[own]);
      case F16 -> Bytes.setF16(memory, scale, block.scales[own]);
      case F16_ZERO -> {
        Bytes.setF16(memory, scale, block.scales[own]);
        Bytes.setU8(memory, beside, block.zeros[own]);
      }
      case F32_MIN -> {
        Bytes.setF32(memory, scale, block.scales[own]);
        double min = block.mins[own] + (double) (moved - block.zeros[own]) * block.scales[own];
        Bytes.setF32(memory, beside, (float) min);
      }
      case F16_MIN -> {
        Bytes.setF16(memory, scale, block.scales[own]);
        Bytes.setF16(memory, beside, block.mins[own]);
      }
      case F16_BYTE -> {
        Bytes.setF16(memory, scale, block.scale);
        Bytes.setU8(memory, at + layout.groupByte(feature, g, 0), block.times[own]);
      }
      case F16_BYTE_MIN -> {
        Bytes.setF16(memory, scale, block.scale);
        Bytes.setF16(memory, beside, block.min);
        Bytes.setU8(memory, at + layout.groupByte(feature, g, 0), block.times[own]);
        Bytes.setU8(memory, at + layout.groupByte(feature, g, 1), block.less[own]);
      }
    }
  }

  private void writeCode(int feature, long g, long element, int code) {
    int low = layout.bits() == 8 ? 8 : 4;
    long at = record(g);
    writeBits(
        at + layout.codeByte(feature, g, element, inFeatures),
        low,
        layout.codeShift(element),
        code);
    if (layout.upperBits() > 0) {
      writeBits(
          at + layout.upperByte(feature, g, element, inFeatures),
          layout.upperBits(),
          layout.upperShift(element),
          code >> low);
    }
  }

  private void writeBits(long place, int bits, int shift, int value) {
    int mask = (1 << bits) - 1;
    int others = Bytes.u8(memory, place) & ~(mask << shift);
    Bytes.setU8(memory, place, others | (value & mask) << shift);
  }

  private int readBits(long place, int bits, int shift) {
    return Bytes.u8(memory, place) >> shift & (1 << bits) - 1;
  }

  /** The elements of a feature. */
  void read(int feature, double[] row) {
    for (int k = 0; k < inFeatures; k++) {
      long g = k / groupSize;
      row[k] = element(feature, g, readCode(feature, g, k % groupSize));
    }
  }

  private int readCode(int feature, long g, long element) {
    int low = layout.bits() == 8 ? 8 : 4;
    long at = record(g);
    int code =
        readBits(
            at + layout.codeByte(feature, g, element, inFeatures), low, layout.codeShift(element));
    if (layout.upperBits() > 0) {
      long upper = at + layout.upperByte(feature, g, element, inFeatures);
      code |= readBits(upper, layout.upperBits(), layout.upperShift(element)) << low;
    }
    return code;
  }

  /** What a stored code means. */
  private double element(int feature, long g, int stored) {
    long at = record(g);
    long scale = at + layout.scaleByte(feature);
    long beside = at + layout.besideByte(feature);
    int code = stored - (1 << layout.bits() - 1);
    return switch (layout.scales()) {
      case F32, F32_SUM -> (double) Bytes.f32(memory, scale) * code;
      case F16 -> (double) Bytes.f16(memory, scale) * code;
      case F16_ZERO -> (double) Bytes.f16(memory, scale) * (code - Bytes.i8(memory, beside));
      case F32_MIN -> (double) Bytes.f32(memory, scale) * code + Bytes.f32(memory, beside);
      case F16_MIN -> (double) Bytes.f16(memory, scale) * stored + Bytes.f16(memory, beside);
      case F16_BYTE -> (double) Bytes.f16(memory, scale) * groupByte(feature, g, 0) * code;
      case F16_BYTE_MIN ->
          (double) Bytes.f16(memory, scale) * groupByte(feature, g, 0) * stored
              - (double) Bytes.f16(memory, beside) * groupByte(feature, g, 1);
    };
  }

  private int groupByte(int feature, long g, int which) {
    return Bytes.i8(memory, record(g) + layout.groupByte(feature, g, which));
  }
}
