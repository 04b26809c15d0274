package dev.gatun.kernels.formats;

/**
 * Where GGML puts two bits of each of 256 elements: of each 128 elements four quarters of 32 share
 * 32 bytes.
 */
final class Quarters {
  private Quarters() {}

  /** The byte of an element. */
  static int place(int i) {
    return i / 128 * 32 + i % 32;
  }

  /** How far left its bits lie in it. */
  static int shift(int i) {
    return i % 128 / 32 * 2;
  }
}
