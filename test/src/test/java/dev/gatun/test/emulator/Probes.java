package dev.gatun.test.emulator;

import dev.gatun.test.emulator.Probe.Expected;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;

/**
 * What each primitive of {@code cuda-src/include/primitives.h} does, after the PTX ISA 9.0
 * (sections on {@code shfl}, {@code ldmatrix}, {@code mma}, {@code cp.async}, {@code ex2}, {@code
 * cvt}, {@code atom}, {@code prmt}, {@code lop3}, {@code fma}), written without a look at the
 * emulator.
 */
final class Probes {
  private static final int LANES = 32;
  private static final int NUMBERS = 2048;
  private static final int TRIPLES = NUMBERS / 4;
  // Tensor cores may cut each of up to 17 terms off at 24 bits of the largest one.
  private static final double MMA = 0x1p-19;
  // PTX ISA, ex2: two units in the last place.
  private static final double EXP2 = 0x1p-22;

  private Probes() {}

  static List<Probe> all() {
    List<Probe> all = new ArrayList<>();
    Random random = new Random(20261125);
    shuffles(all, random);
    matrices(all, random);
    products(all, random);
    memory(all, random);
    numbers(all, random);
    triples(all, random);
    smallCopies(all, random);
    return all;
  }

  private static int[] words(Random random, int count) {
    return random.ints(count).toArray();
  }

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private static Probe exact(String name, int threads, int[] input, int[] output) {
    return new Probe(name, "probe_" + name, threads, input, Expected.bits(output));
  }

  private static void shuffles(List<Probe> all, Random random) {
    int[] words = words(random, LANES);
    int[] crossed = new int[10 * LANES];
    for (int lane = 0; lane < LANES; lane++) {
      for (int bit = 0; bit < 5; bit++) {
        crossed[bit * LANES + lane] = words[lane ^ 1 << bit];
        crossed[(5 + bit) * LANES + lane] = words[lane ^ 31 - bit];
      }
    }
    all.add(exact("shuffle_xor", LANES, words, crossed));

    int[] from = random.ints(LANES, 0, 2 * LANES).toArray();
    int[] taken = new int[2 * LANES];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = words[from[i % LANES] % LANES];
    }
    all.add(exact("shuffle", LANES, join(words, from), taken));

    int[] votes = new int[4 * LANES];
    votes[LANES + 17] = 1;
    Arrays.fill(votes, 2 * LANES, 3 * LANES, 5);
    votes[3 * LANES] = -1;
    int[] any = new int[4 * LANES];
    Arrays.fill(any, LANES, 4 * LANES, 1);
    all.add(exact("any_lane", LANES, votes, any));
  }

  /** Four matrices of eight rows of eight 16-bit elements: lane 8 m + r names row r of matrix m. */
  private static void matrices(List<Probe> all, Random random) {
    int[] tile = words(random, 128);
    int[] rows = random.ints(LANES, 0, LANES).toArray();
    for (boolean transposed : new boolean[] {false, true}) {
      int[] output = new int[4 * LANES];
      for (int m = 0; m < 4; m++) {
        for (int lane = 0; lane < LANES; lane++) {
          int[] pair = new int[2];
          for (int e = 0; e < 2; e++) {
            int row = lane / 4;
            int column = 2 * (lane % 4) + e;
            int r = transposed ? column : row;
            int c = transposed ? row : column;
            pair[e] = tile[rows[8 * m + r] * 4 + c / 2] >>> 16 * (c % 2) & 0xffff;
          }
          output[m * LANES + lane] = pair[0] | pair[1] << 16;
        }
      }
      all.add(
          exact("ldmatrix" + (transposed ? "_transposed" : ""), LANES, join(tile, rows), output));
    }
  }

  private interface Decode {
    double number(int bits);
  }

  private static void products(List<Probe> all, Random random) {
    Decode bf16 = bits -> Float.intBitsToFloat(bits << 16);
    Decode f16 = bits -> Float.float16ToFloat((short) bits);
    IntUnaryOperator smallBf16 = i -> Float.floatToRawIntBits(i) >>> 16;
    IntUnaryOperator smallF16 = i -> Float.floatToFloat16(i) & 0xffff;
    for (boolean integers : new boolean[] {true, false}) {
      all.add(product16("mma_bf16", bf16, smallBf16, integers, random));
      all.add(product16("mma_f16", f16, smallF16, integers, random));
    }
    all.add(product8(random));
  }

  private static final int ROWS = 16;
  private static final int COLUMNS = 8;

  /** mma.m16n8k16: of integers, which are exact and so show each element's place, and of others. */
  private static Probe product16(
      String kernel, Decode decode, IntUnaryOperator small, boolean integers, Random random) {
    int[] input = new int[10 * LANES];
    for (int i = 0; i < 6 * LANES; i++) {
      input[i] =
          small.applyAsInt(random.nextInt(-64, 65))
              | small.applyAsInt(random.nextInt(-64, 65)) << 16;
      if (!integers) {
        // Any mantissa, exponents near 1.
        int spread = kernel.equals("mma_bf16") ? 0x007f007f : 0x03ff03ff;
        input[i] ^= random.nextInt() & spread;
      }
    }
    for (int i = 6 * LANES; i < 10 * LANES; i++) {
      float add = integers ? random.nextInt(-1000, 1000) : (float) random.nextGaussian(0, 1000);
      input[i] = Float.floatToRawIntBits(add);
    }
    double[][] a = new double[ROWS][16];
    double[][] b = new double[16][COLUMNS];
    for (int lane = 0; lane < LANES; lane++) {
      int group = lane >> 2;
      int inGroup = lane % 4;
      for (int i = 0; i < 8; i++) {
        int row = i < 2 || i >= 4 && i < 6 ? group : group + 8;
        int column = inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0);
        a[row][column] = decode.number(input[i / 2 * LANES + lane] >>> 16 * (i % 2) & 0xffff);
      }
      for (int i = 0; i < 4; i++) {
        int k = inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0);
        b[k][group] = decode.number(input[(4 + i / 2) * LANES + lane] >>> 16 * (i % 2) & 0xffff);
      }
    }
    double[] numbers = new double[4 * LANES];
    double[] bounds = new double[4 * LANES];
    for (int lane = 0; lane < LANES; lane++) {
      for (int i = 0; i < 4; i++) {
        int row = (lane >> 2) + (i < 2 ? 0 : 8);
        int column = lane % 4 * 2 + (i & 1);
        int place = i * LANES + lane;
        double sum = Float.intBitsToFloat(input[(6 + i) * LANES + lane]);
        double size = Math.abs(sum);
        for (int k = 0; k < 16; k++) {
          sum += a[row][k] * b[k][column];
          size += Math.abs(a[row][k] * b[k][column]);
        }
        numbers[place] = sum;
        bounds[place] = integers ? 0 : MMA * size;
      }
    }
    String name = kernel + (integers ? "_integers" : "");
    return new Probe(name, "probe_" + kernel, LANES, input, Expected.within(numbers, bounds));
  }

  /** mma.m16n8k32 of bytes; sums wrap around. */
  private static Probe product8(Random random) {
    int[] input = words(random, 10 * LANES);
    input[0] = 0x80808080;
    input[6 * LANES] = Integer.MAX_VALUE;
    input[6 * LANES + 1] = Integer.MIN_VALUE;
    byte[][] a = new byte[ROWS][32];
    byte[][] b = new byte[32][COLUMNS];
    for (int lane = 0; lane < LANES; lane++) {
      int group = lane >> 2;
      int inGroup = lane % 4;
      for (int i = 0; i < 16; i++) {
        int row = i < 4 || i >= 8 && i < 12 ? group : group + 8;
        int column = inGroup * 4 + (i & 3) + (i >= 8 ? 16 : 0);
        a[row][column] = (byte) (input[i / 4 * LANES + lane] >> 8 * (i % 4));
      }
      for (int i = 0; i < 8; i++) {
        int k = inGroup * 4 + (i & 3) + (i >= 4 ? 16 : 0);
        b[k][group] = (byte) (input[(4 + i / 4) * LANES + lane] >> 8 * (i % 4));
      }
    }
    int[] output = new int[4 * LANES];
    for (int lane = 0; lane < LANES; lane++) {
      for (int i = 0; i < 4; i++) {
        int sum = input[(6 + i) * LANES + lane];
        for (int k = 0; k < 32; k++) {
          sum += a[(lane >> 2) + (i < 2 ? 0 : 8)][k] * b[k][lane % 4 * 2 + (i & 1)];
        }
        output[i * LANES + lane] = sum;
      }
    }
    return exact("mma_s8", LANES, input, output);
  }

  private static void smallCopies(List<Probe> all, Random random) {
    int[] source = words(random, 128);
    int[] valid = random.ints(128, 0, 2).toArray();
    int[] copied = new int[128];
    Arrays.setAll(copied, i -> source[127 - i] * valid[i]);
    all.add(exact("copy_async_4", LANES, join(source, valid), copied));
  }

  private static void memory(List<Probe> all, Random random) {
    int[] source = words(random, 256);
    int[] valid = random.ints(2 * LANES, 0, 2).toArray();
    int[] copied = source.clone();
    for (int i = 0; i < copied.length; i++) {
      copied[i] *= valid[i / 4];
    }
    all.add(exact("copy_async", LANES, join(source, valid), copied));

    int[] words = words(random, 64);
    int[] reversed = new int[128];
    for (int i = 0; i < 64; i++) {
      reversed[i] = words[63 - i];
      reversed[64 + i] = words[63 - (i ^ 31)];
    }
    all.add(exact("barriers", 64, words, reversed));

    // Output words are -1 at first.
    int[] terms = words(random, LANES);
    int[] added = new int[96];
    Arrays.fill(added, -1);
    for (int lane = 0; lane < LANES; lane++) {
      added[lane] += 2 * terms[lane];
      added[64 + lane] = -1 + terms[lane];
      added[32 + lane % 2] += terms[lane];
    }
    all.add(exact("atomic_add", LANES, terms, added));

    int[] swapped = new int[2 * LANES];
    for (int lane = 0; lane < LANES; lane++) {
      swapped[lane] = lane % 2 == 1 ? terms[lane] : -1;
      swapped[LANES + lane] = -1;
    }
    all.add(exact("atomic_cas", LANES, terms, swapped));

    int[] factors = new int[3 * LANES];
    int[] products = new int[2 * LANES];
    for (int lane = 0; lane < LANES; lane++) {
      float a = (float) random.nextGaussian();
      float b = (float) random.nextGaussian();
      // Near the product's negative, so that rounding it shows.
      float c = -a * b * (1 + lane % 3 * 0x1p-20f);
      factors[lane] = Float.floatToRawIntBits(a);
      factors[LANES + lane] = Float.floatToRawIntBits(b);
      factors[2 * LANES + lane] = Float.floatToRawIntBits(c);
      products[lane] = Float.floatToRawIntBits(a * b);
      products[LANES + lane] = Float.floatToRawIntBits(Math.fma(a, b, c));
    }
    all.add(exact("rounded", LANES, factors, products));

    int[] pairs = words(random, 2 * LANES);
    long[] least = {-1, -1};
    for (int lane = 0; lane < LANES; lane++) {
      long value = (long) pairs[2 * lane + 1] << 32 | pairs[2 * lane] & 0xffffffffL;
      for (long v : new long[] {value, ~value}) {
        if (Long.compareUnsigned(v, least[lane % 2]) < 0) {
          least[lane % 2] = v;
        }
      }
    }
    int[] halves = {
      (int) least[0], (int) (least[0] >>> 32), (int) least[1], (int) (least[1] >>> 32)
    };
    all.add(exact("atomic_min", LANES, pairs, halves));
    all.add(exact("load_fresh", LANES, terms, join(terms, terms)));
    int[] fours = words(random, 4 * LANES);
    int[] beside = new int[4 * LANES];
    Arrays.setAll(beside, i -> fours[i ^ 4]);
    all.add(exact("load_fresh_16", LANES, fours, join(beside, fours)));
  }

  private static void numbers(List<Probe> all, Random random) {
    int[] floats = floats(random);
    double[] powers = new double[NUMBERS];
    double[] bounds = new double[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) {
      float x = Float.intBitsToFloat(floats[i]);
      powers[i] = Math.pow(2, x);
      // A result below the least normal number may be flushed to 0.
      bounds[i] = powers[i] < Float.MIN_NORMAL ? Float.MIN_NORMAL : EXP2 * powers[i];
      if (powers[i] >= 0x1.ffffffp127) {
        powers[i] = Double.POSITIVE_INFINITY;
      }
    }
    all.add(new Probe("exp2", "probe_exp2", LANES, floats, Expected.within(powers, bounds)));

    all.add(each("to_bf16", floats, bits -> round(Float.intBitsToFloat(bits), 8, -126)));
    all.add(each("to_f16", floats, bits -> round(Float.intBitsToFloat(bits), 11, -14)));
    int[] halves = random.ints(NUMBERS, 0, 1 << 16).toArray();
    int[] special = {
      0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x7c01, 0x7fff, 0x7f80, 0xff80
    };
    System.arraycopy(special, 0, halves, 0, special.length);
    all.add(each("from_bf16", halves, bits -> bits << 16));
    all.add(
        each("from_f16", halves, b -> Float.floatToRawIntBits(Float.float16ToFloat((short) b))));
  }

  /** What takes three words. */
  private static void triples(List<Probe> all, Random random) {
    int[] words = words(random, 3 * TRIPLES);
    // The fourth bit of a digit asks prmt for a sign, which the primitive does not.
    int[] selected = words.clone();
    for (int i = 2; i < selected.length; i += 3) {
      selected[i] &= 0x7777;
    }
    all.add(ofTriples("permute_bytes", selected, Probes::permute));
    all.add(ofTriples("and_xor", words, (a, b, c) -> a & b ^ c));
    int[] f16 =
        random.ints(6 * TRIPLES, 0, 1 << 16).map(h -> h & 0x83ff | 9 + h % 13 << 10).toArray();
    int[] bf16 =
        random.ints(6 * TRIPLES, 0, 1 << 16).map(h -> h & 0x807f | 121 + h % 13 << 7).toArray();
    all.add(
        ofTriples(
            "fma_f16x2",
            pairs(f16),
            (a, b, c) -> fma(a, b, c, h -> Float.float16ToFloat((short) h), 11, -14)));
    all.add(
        ofTriples(
            "fma_bf16x2",
            pairs(bf16),
            (a, b, c) -> fma(a, b, c, h -> Float.intBitsToFloat(h << 16), 8, -126)));
  }

  private interface TernaryWords {
    int of(int a, int b, int c);
  }

  private static Probe ofTriples(String name, int[] input, TernaryWords function) {
    int[] output = new int[TRIPLES];
    Arrays.setAll(output, i -> function.of(input[3 * i], input[3 * i + 1], input[3 * i + 2]));
    return exact(name, LANES, input, output);
  }

  private static int[] pairs(int[] halves) {
    int[] words = new int[halves.length / 2];
    Arrays.setAll(words, i -> halves[2 * i] | halves[2 * i + 1] << 16);
    return words;
  }

  private static int permute(int a, int b, int selector) {
    long bytes = (long) b << 32 | a & 0xffffffffL;
    int result = 0;
    for (int i = 0; i < 4; i++) {
      int which = selector >> 4 * i & 7;
      result |= (int) (bytes >>> 8 * which & 0xff) << 8 * i;
    }
    return result;
  }

  /** Of both halves of each word; double holds the exact results of numbers as large as these. */
  private static int fma(int a, int b, int c, IntToDoubleFunction value, int digits, int least) {
    int result = 0;
    for (int at = 0; at < 32; at += 16) {
      double exact =
          value.applyAsDouble(a >>> at & 0xffff) * value.applyAsDouble(b >>> at & 0xffff)
              + value.applyAsDouble(c >>> at & 0xffff);
      result |= round(exact, digits, least) << at;
    }
    return result;
  }

  private static Probe each(String name, int[] input, IntUnaryOperator function) {
    int[] output = Arrays.stream(input).map(function).toArray();
    return new Probe(name, "probe_" + name, LANES, input, Expected.bitsOrNan(output));
  }

  /** Numbers of all sizes, the limits of narrower types, and what lies half-way between those. */
  private static int[] floats(Random random) {
    int[] floats = words(random, NUMBERS);
    IntBinaryOperator near = (base, i) -> base + i - 2;
    int[] bases = {
      0x00000000,
      0x00800000,
      0x7f800000,
      0x7f7f8000,
      0x477ff000,
      0x38800000,
      0x33000000,
      0x33800000,
      0x3f801000,
      0x3f803000,
      0x3f808000,
      0x3f818000,
      0x42fe0000,
      0x43000000,
      0x38ffe000
    };
    int place = 0;
    for (int base : bases) {
      for (int i = 0; i < 5; i++) {
        floats[place++] = near.applyAsInt(base, i);
        floats[place++] = near.applyAsInt(base, i) ^ 0x80000000;
      }
    }
    for (; place < NUMBERS / 2; place++) {
      floats[place] = Float.floatToRawIntBits((float) random.nextGaussian(0, 20));
    }
    return floats;
  }

  /**
   * The bits of a number rounded to the nearest with so many digits, ties to even, in a type whose
   * least normal number is 2 to the given power; canonical NaN is 0x7fff.
   */
  private static int round(double x, int digits, int least) {
    if (Double.isNaN(x)) {
      return 0x7fff;
    }
    int sign = (int) (Double.doubleToRawLongBits(x) >>> 63) << 15;
    double size = Math.abs(x);
    int fraction = digits - 1;
    int infinity = (1 << 15 - fraction) - 1 << fraction;
    if (Double.isInfinite(x)) {
      return sign | infinity;
    }
    int exponent = Math.max(least, size == 0 ? least : Math.getExponent(size));
    long steps = (long) Math.rint(size * Math.scalb(1.0, fraction - exponent));
    // Whole steps of this exponent; a carry into the next is the right number too.
    long result = ((long) (exponent - least) << fraction) + steps;
    return sign | (int) Math.min(result, infinity);
  }
}
