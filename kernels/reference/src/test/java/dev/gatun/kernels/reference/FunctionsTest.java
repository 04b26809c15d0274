package dev.gatun.kernels.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The oracle's own functions against published values. */
final class FunctionsTest {
  @Test
  void error_function() {
    // Abramowitz and Stegun, table 7.1, and https://dlmf.nist.gov/7
    assertEquals(0.0, Functions.erf(0), 0);
    assertEquals(0.1124629160182849, Functions.erf(0.1), 1e-15);
    assertEquals(0.5204998778130465, Functions.erf(0.5), 1e-15);
    assertEquals(0.8427007929497149, Functions.erf(1), 1e-15);
    assertEquals(0.9661051464753107, Functions.erf(1.5), 1e-15);
    assertEquals(0.9953222650189527, Functions.erf(2), 1e-15);
    assertEquals(-0.9999779095030014, Functions.erf(-3), 1e-15);
    assertEquals(2.209049699858544e-5, Functions.erfc(3), 1e-18);
    assertEquals(1.5374597944280349e-12, Functions.erfc(5), 1e-25);
    assertEquals(0.4795001221869535, Functions.erfc(0.5), 1e-15);
    assertEquals(1.5204998778130465, Functions.erfc(-0.5), 1e-15);
    assertEquals(Double.NaN, Functions.erfc(Double.NaN));
  }

  /** Beside the JDK's, which are within an ulp. */
  @Test
  void functions_of_random_numbers() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200_000; i++) {
      double u = 1 - (random.nextLong() >>> 11 + random.nextInt(53)) * 0x1p-53;
      double v = ((random.nextLong() >>> 11 + random.nextInt(53)) + 1) * 0x1p-53;
      for (double x : new double[] {u, v, 0x1p-53, 1}) {
        double log = StrictMath.log(x);
        assertEquals(log, RandomReference.log(x), 3 * Math.ulp(log), () -> "ln " + x);
      }
      for (double turn : new double[] {1 - u, 0, 1 - 0x1p-53, i / 200_000.0}) {
        double angle = 2 * Math.PI * turn;
        // The angle itself is rounded, of up to 2π.
        assertEquals(StrictMath.cos(angle), RandomReference.cosine(turn), 2e-15, () -> "" + turn);
        assertEquals(StrictMath.sin(angle), RandomReference.sine(turn), 2e-15, () -> "" + turn);
      }
    }
  }

  @Test
  void philox() {
    // The known answers that its authors publish with Random123.
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.words(new int[4], 0));
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        Philox.words(new int[] {-1, -1, -1, -1}, -1));
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        Philox.words(
            new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822L));
  }

  @Test
  void narrow_floats_round_to_even() {
    assertEquals((short) 0x3f80, View.floatToBf16(1.00390625f)); // halfway, the lower one is even
    assertEquals((short) 0x3f82, View.floatToBf16(1.01171875f)); // halfway, the upper one is even
    assertEquals((short) 0x7f80, View.floatToBf16(Float.MAX_VALUE));
    assertEquals((short) 0xff80, View.floatToBf16(Float.NEGATIVE_INFINITY));
    assertEquals(true, Float.isNaN(View.bf16ToFloat(View.floatToBf16(Float.NaN))));
  }
}
