package dev.gatun.kernels.formats;

/**
 * GGML's IQ1 to IQ3: points of a grid, and signs or an eighth more or less beside them. Codes are
 * whole numbers and scales the format's own arithmetic in F32 with powers of two taken out, so that
 * {@code scale * code} is the format's value to the bit.
 */
final class GridDecoders {
  private GridDecoders() {}

  /** Seven signs of eight; that of the eighth makes the number of set ones even. */
  private static int evenSigns(int seven) {
    return seven | (Integer.bitCount(seven) & 1) << 7;
  }

  static void iq2xxs(WidenedBlock b) {
    float scale = b.f16(0);
    for (int s = 0; s < 8; s++) {
      int at = 2 + 8 * s;
      int beside = b.u32(at + 4);
      b.scales[s] = scale * (0.5f + (beside >>> 28)) * 0.25f;
      for (int i = 0; i < 4; i++) {
        int signs = evenSigns(beside >> 7 * i & 127);
        b.point(32 * s + 8 * i, Grids.IQ2_XXS, b.u8(at + i), 8, signs);
      }
    }
  }

  static void iq2xs(WidenedBlock b) {
    float scale = b.f16(0);
    for (int i = 0; i < 32; i++) {
      int both = b.u16(2 + 2 * i);
      b.point(8 * i, Grids.IQ2_XS, both & 511, 8, evenSigns(both >> 9));
    }
    fourBitScales(b, scale, 66);
  }

  static void iq2s(WidenedBlock b) {
    float scale = b.f16(0);
    for (int i = 0; i < 32; i++) {
      int upper = b.u8(66 + i / 4) >> 2 * (i % 4) & 3;
      b.point(8 * i, Grids.IQ2_S, b.u8(2 + i) | upper << 8, 8, b.u8(34 + i));
    }
    fourBitScales(b, scale, 74);
  }

  private static void fourBitScales(WidenedBlock b, float scale, int at) {
    for (int s = 0; s < 16; s++) {
      b.scales[s] = scale * (0.5f + (b.u8(at + s / 2) >> 4 * (s % 2) & 15)) * 0.25f;
    }
  }

  static void iq3xxs(WidenedBlock b) {
    float scale = b.f16(0);
    for (int s = 0; s < 8; s++) {
      int beside = b.u32(66 + 4 * s);
      b.scales[s] = scale * (0.5f + (beside >>> 28)) * 0.5f;
      for (int i = 0; i < 8; i++) {
        int signs = evenSigns(beside >> 7 * (i / 2) & 127) >> 4 * (i % 2);
        b.point(32 * s + 4 * i, Grids.IQ3_XXS, b.u8(2 + 8 * s + i), 4, signs);
      }
    }
  }

  static void iq3s(WidenedBlock b) {
    float scale = b.f16(0);
    for (int s = 0; s < 8; s++) {
      b.scales[s] = scale * (1 + 2 * (b.u8(106 + s / 2) >> 4 * (s % 2) & 15));
    }
    for (int i = 0; i < 64; i++) {
      int upper = b.u8(66 + i / 8) >> i % 8 & 1;
      int signs = b.u8(74 + i / 2) >> 4 * (i % 2);
      b.point(4 * i, Grids.IQ3_S, b.u8(2 + i) | upper << 8, 4, signs);
    }
  }

  static void iq1s(WidenedBlock b) {
    float scale = b.f16(0);
    for (int s = 0; s < 8; s++) {
      int beside = b.u16(34 + 2 * s);
      b.scales[s] = scale * (2 * (beside >> 12 & 7) + 1) * 0.125f;
      for (int i = 0; i < 4; i++) {
        int point = b.u8(2 + 4 * s + i) | (beside >> 3 * i & 7) << 8;
        b.shifted(32 * s + 8 * i, Grids.IQ1, point, (beside & 0x8000) == 0 ? 1 : -1);
      }
    }
  }

  static void iq1m(WidenedBlock b) {
    int half = 0;
    for (int i = 0; i < 4; i++) {
      half |= b.u16(48 + 2 * i) >> 12 << 4 * i;
    }
    float scale = Float.float16ToFloat((short) half);
    for (int s = 0; s < 16; s++) {
      b.scales[s] = scale * (2 * (b.u16(48 + s / 4 * 2) >> 3 * (s % 4) & 7) + 1) * 0.125f;
    }
    for (int i = 0; i < 32; i++) {
      int beside = b.u8(32 + i / 2) >> 4 * (i % 2);
      b.shifted(8 * i, Grids.IQ1, b.u8(i) | (beside & 7) << 8, (beside & 8) == 0 ? 1 : -1);
    }
  }
}
