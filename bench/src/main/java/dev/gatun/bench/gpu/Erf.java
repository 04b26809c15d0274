package dev.gatun.bench.gpu;

/** The error function. */
final class Erf {
  private Erf() {}

  /** By its Taylor series about 0, and far from it by the continued fraction of its complement. */
  static double erf(double x) {
    double size = Math.abs(x);
    if (size < 3) {
      double term = x;
      double sum = x;
      for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
        term *= -x * x / n;
        sum += term / (2 * n + 1);
      }
      return 2 / Math.sqrt(Math.PI) * sum;
    }
    double fraction = 0;
    for (int n = 60; n > 0; n--) {
      fraction = n / 2.0 / (size + fraction);
    }
    double rest = Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction));
    return Math.copySign(1 - rest, x);
  }
}
