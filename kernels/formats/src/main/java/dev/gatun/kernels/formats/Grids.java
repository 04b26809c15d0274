package dev.gatun.kernels.formats;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The points that GGML's IQ1 to IQ3 choose neighbours from: of eight elements, or of four. They are
 * facts of the format, and lie in grids.bin as numbers of values, 16 bits a point.
 */
final class Grids {
  private static final byte[] STORED = read();
  private static final int[] OF_IQ2 = {8, 25, 43};

  /**
   * IQ1_S and IQ1_M, eight elements a point; eight times the values, so that an eighth is whole.
   */
  static final byte[] IQ1 = points(0, 2048, 8, -8, 0, 8);

  /** IQ2_XXS, eight elements a point. */
  static final byte[] IQ2_XXS = points(2048, 256, 8, OF_IQ2);

  /** IQ2_XS, eight elements a point. */
  static final byte[] IQ2_XS = points(2304, 512, 8, OF_IQ2);

  /** IQ2_S, eight elements a point. */
  static final byte[] IQ2_S = points(2816, 1024, 8, OF_IQ2);

  /** IQ3_XXS, four elements a point. */
  static final byte[] IQ3_XXS = points(3840, 256, 4, 4, 12, 20, 28, 36, 44, 52, 62);

  /** IQ3_S, four elements a point. */
  static final byte[] IQ3_S = points(4096, 512, 4, 1, 3, 5, 7, 9, 11, 13, 15);

  private Grids() {}

  private static byte[] points(int first, int count, int elements, int... values) {
    int bits = 16 / elements;
    byte[] points = new byte[count * elements];
    for (int i = 0; i < count; i++) {
      int stored = STORED[2 * (first + i)] & 0xff | (STORED[2 * (first + i) + 1] & 0xff) << 8;
      for (int e = 0; e < elements; e++) {
        points[i * elements + e] = (byte) values[stored >> e * bits & (1 << bits) - 1];
      }
    }
    return points;
  }

  private static byte[] read() {
    try (InputStream in = Grids.class.getResourceAsStream("grids.bin")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
