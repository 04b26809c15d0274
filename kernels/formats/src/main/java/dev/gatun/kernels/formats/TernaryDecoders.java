package dev.gatun.kernels.formats;

import java.util.Arrays;

/** GGML's TQ1_0 and TQ2_0: a scale, and elements of -1, 0 and 1. */
final class TernaryDecoders {
  private TernaryDecoders() {}

  /** Five elements in a byte, as a fraction of 256 whose digits to base three they are. */
  static void tq1(WidenedBlock b) {
    digits(b, 0, 32, 5, 0);
    digits(b, 32, 16, 5, 160);
    digits(b, 48, 4, 4, 240);
    Arrays.fill(b.scales, b.f16(52));
  }

  private static void digits(WidenedBlock b, int from, int bytes, int digits, int to) {
    for (int i = 0; i < bytes; i++) {
      int fraction = b.u8(from + i);
      for (int d = 0; d < digits; d++) {
        int next = fraction * 3;
        b.codes[to + d * bytes + i] = (byte) ((next >> 8) - 1);
        fraction = next & 0xff;
      }
    }
  }

  static void tq2(WidenedBlock b) {
    for (int i = 0; i < WidenedBlock.SIZE; i++) {
      b.codes[i] = (byte) ((b.u8(Quarters.place(i)) >> Quarters.shift(i) & 3) - 1);
    }
    Arrays.fill(b.scales, b.f16(64));
  }
}
