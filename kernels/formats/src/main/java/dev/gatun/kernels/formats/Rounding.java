package dev.gatun.kernels.formats;

/** How elements become codes. */
final class Rounding {
  private Rounding() {}

  /** The magnitude of the largest element. */
  static float largest(float[] x, int size) {
    float most = 0;
    for (int i = 0; i < size; i++) {
      most = Math.max(most, Math.abs(x[i]));
    }
    return most;
  }

  /** The element of the largest magnitude, the first of equals, with its sign. */
  static float extreme(float[] x, int size) {
    float extreme = 0;
    for (int i = 0; i < size; i++) {
      if (Math.abs(x[i]) > Math.abs(extreme)) {
        extreme = x[i];
      }
    }
    return extreme;
  }

  /** {@code x / scale} to nearest even inside of limits; 0 of a scale of 0. */
  static int even(float x, float scale, int least, int most) {
    return scale == 0 ? 0 : (int) Math.clamp(Math.rint(x / scale), least, most);
  }

  static float[] ones(int count) {
    float[] ones = new float[count];
    java.util.Arrays.fill(ones, 1);
    return ones;
  }

  static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
