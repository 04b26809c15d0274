package dev.gatun.djl.host;

/** The discrete Fourier transform along an axis of row-major complex numbers, in double. */
public final class Fourier {
  private Fourier() {}

  /**
   * {@return the transform, as many pairs of real and imaginary part along the axis as the length}
   * The axis is cut, or filled with 0, to the length first. The inverse is divided by it.
   *
   * @param x pairs of real and imaginary part
   * @param outer places before the axis
   * @param size of the axis
   * @param inner places behind the axis
   * @param length of the transform
   * @param inverse whether it goes back
   */
  public static double[] transform(
      double[] x, int outer, int size, int inner, int length, boolean inverse) {
    double[] y = new double[2 * outer * length * inner];
    double[] re = new double[length];
    double[] im = new double[length];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        for (int k = 0; k < length; k++) {
          int at = 2 * ((o * size + k) * inner + i);
          re[k] = k < size ? x[at] : 0;
          im[k] = k < size ? (inverse ? -x[at + 1] : x[at + 1]) : 0;
        }
        double[][] spectrum = lane(re, im);
        double scale = inverse ? 1.0 / length : 1;
        for (int k = 0; k < length; k++) {
          int at = 2 * ((o * length + k) * inner + i);
          y[at] = spectrum[0][k] * scale;
          y[at + 1] = (inverse ? -spectrum[1][k] : spectrum[1][k]) * scale;
        }
      }
    }
    return y;
  }

  /** Halves while the length is even (Cooley and Tukey, 1965), and sums what is odd. */
  private static double[][] lane(double[] re, double[] im) {
    int n = re.length;
    double[] yRe = new double[n];
    double[] yIm = new double[n];
    if (n % 2 == 1) {
      for (int k = 0; k < n; k++) {
        for (int j = 0; j < n; j++) {
          double angle = -2 * Math.PI * ((long) k * j % n) / n;
          double cos = Math.cos(angle);
          double sin = Math.sin(angle);
          yRe[k] += re[j] * cos - im[j] * sin;
          yIm[k] += re[j] * sin + im[j] * cos;
        }
      }
      return new double[][] {yRe, yIm};
    }
    int half = n / 2;
    double[][] parts = new double[4][half];
    for (int j = 0; j < half; j++) {
      parts[0][j] = re[2 * j];
      parts[1][j] = im[2 * j];
      parts[2][j] = re[2 * j + 1];
      parts[3][j] = im[2 * j + 1];
    }
    double[][] even = lane(parts[0], parts[1]);
    double[][] odd = lane(parts[2], parts[3]);
    for (int k = 0; k < half; k++) {
      double angle = -2 * Math.PI * k / n;
      double cos = Math.cos(angle);
      double sin = Math.sin(angle);
      double turnedRe = odd[0][k] * cos - odd[1][k] * sin;
      double turnedIm = odd[0][k] * sin + odd[1][k] * cos;
      yRe[k] = even[0][k] + turnedRe;
      yIm[k] = even[1][k] + turnedIm;
      yRe[k + half] = even[0][k] - turnedRe;
      yIm[k + half] = even[1][k] - turnedIm;
    }
    return new double[][] {yRe, yIm};
  }
}
