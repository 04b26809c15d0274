package dev.gatun.test.emulator;

/**
 * A kernel of {@code emulator/probes}, the words that it is given, and what it makes of them by the
 * PTX ISA's description of its primitive.
 *
 * @param name of the vector
 * @param kernel the kernel's name
 * @param threads of its only block
 * @param input words of 32 bits
 * @param expected what becomes of output words that are all ones at first
 */
record Probe(String name, String kernel, int threads, int[] input, Expected expected) {

  /**
   * Words, or numbers with what each may be off.
   *
   * @param bits the words, or null where bounds are given
   * @param numbers the exact values of floats, or null
   * @param bounds how far each may be from its exact value, or null
   * @param anyNan whether NaNs of other bits are equal
   */
  record Expected(int[] bits, double[] numbers, double[] bounds, boolean anyNan) {
    static Expected bits(int[] bits) {
      return new Expected(bits, null, null, false);
    }

    static Expected bitsOrNan(int[] bits) {
      return new Expected(bits, null, null, true);
    }

    static Expected within(double[] numbers, double[] bounds) {
      return new Expected(null, numbers, bounds, true);
    }

    int length() {
      return bits != null ? bits.length : numbers.length;
    }

    /** Whether a word may be what is at a place. */
    boolean allows(int place, int word) {
      float got = Float.intBitsToFloat(word);
      if (bits != null) {
        return bits[place] == word
            || anyNan && Float.isNaN(got) && Float.isNaN(Float.intBitsToFloat(bits[place]));
      }
      return near(numbers[place], got, bounds[place]);
    }

    /** Whether two words may both come of the same computation. */
    boolean agree(int place, int one, int other) {
      float a = Float.intBitsToFloat(one);
      float b = Float.intBitsToFloat(other);
      if (bits != null) {
        return one == other || anyNan && Float.isNaN(a) && Float.isNaN(b);
      }
      return near(a, b, 2 * bounds[place]);
    }

    private static boolean near(double wanted, double got, double bound) {
      return Double.isNaN(wanted)
          ? Double.isNaN(got)
          : wanted == got || Math.abs(wanted - got) <= bound;
    }

    String at(int place) {
      return bits != null
          ? "0x%08x".formatted(bits[place])
          : numbers[place] + " +- " + bounds[place];
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
