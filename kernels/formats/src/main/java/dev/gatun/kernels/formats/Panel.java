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
            layout.groups(inFeatures) * layout.recordBytes(inFeatures));
  }

  /** Makes every code and scale 0. */
  void clear() {
    int zero = layout.bits() == 8 ? 0x80 : 0x88;
    long header = (long) PackedLayout.PANEL * layout.scales().bytes();
    for (long g = 0; g < layout.groups(inFeatures); g++) {
      MemorySegment record =
          memory.asSlice(g * layout.recordBytes(inFeatures), layout.recordBytes(inFeatures));
      record.asSlice(0, header).fill((byte) 0);
      record.asSlice(header).fill((byte) zero);
    }
  }

  /**
   * Writes the b-th block of a feature.
   *
   * @param centre what is taken off its codes
   */
  void write(int feature, long b, Block block, int centre) {
    int offset = (1 << layout.bits() - 1) - centre;
    for (int begin = 0; begin < block.size(); begin += groupSize) {
      long at = (b * block.size() + begin) / groupSize * layout.recordBytes(inFeatures);
      int g = begin / block.group();
      writeScales(at, feature, block, g, centre);
      if (layout.scales() == PackedLayout.Scales.F32_SUM) {
        long sum = 0;
        for (int i = begin; i < begin + groupSize; i++) {
          sum += block.codes[i];
        }
        float elements = (float) ((double) block.scales[g] * sum);
        Bytes.setF32(memory, at + 4 * PackedLayout.PANEL + 4 * feature, elements);
      }
      for (int i = 0; i < groupSize; i++) {
        int code = block.codes[begin + i] + offset;
        long place = at + layout.codeByte(feature, i);
        if (layout.bits() == 8) {
          Bytes.setU8(memory, place, code);
        } else {
          int shift = layout.codeShift(i);
          int other = Bytes.u8(memory, place) & 0xf0 >> shift;
          Bytes.setU8(memory, place, other | code << shift);
        }
      }
    }
  }

  private void writeScales(long at, int feature, Block block, int g, int moved) {
    float scale = block.scales[g];
    switch (layout.scales()) {
      case F32, F32_SUM -> Bytes.setF32(memory, at + 4 * feature, scale);
      case F16 -> Bytes.setF16(memory, at + 2 * feature, scale);
      case F16_ZERO -> {
        Bytes.setF16(memory, at + 2 * feature, scale);
        Bytes.setU8(memory, at + 2 * PackedLayout.PANEL + feature, block.zeros[g]);
      }
      case F32_MIN -> {
        Bytes.setF32(memory, at + 4 * feature, scale);
        double min = block.mins[g] + (double) (moved - block.zeros[g]) * scale;
        Bytes.setF32(memory, at + 4 * PackedLayout.PANEL + 4 * feature, (float) min);
      }
    }
  }

  /** The elements of a feature. */
  void read(int feature, double[] row) {
    int half = 1 << layout.bits() - 1;
    for (int k = 0; k < inFeatures; k++) {
      long at = k / groupSize * layout.recordBytes(inFeatures);
      long element = k % groupSize;
      int stored = Bytes.u8(memory, at + layout.codeByte(feature, element));
      int code = (layout.bits() == 8 ? stored : stored >> layout.codeShift(element) & 15) - half;
      row[k] =
          switch (layout.scales()) {
            case F32, F32_SUM -> (double) Bytes.f32(memory, at + 4 * feature) * code;
            case F16 -> (double) Bytes.f16(memory, at + 2 * feature) * code;
            case F16_ZERO ->
                (double) Bytes.f16(memory, at + 2 * feature)
                    * (code - Bytes.i8(memory, at + 2 * PackedLayout.PANEL + feature));
            case F32_MIN ->
                (double) Bytes.f32(memory, at + 4 * feature) * code
                    + Bytes.f32(memory, at + 4 * PackedLayout.PANEL + 4 * feature);
          };
    }
  }
}
