package dev.gatun.djl.host;

/** Products of types that the library's kernels do not take. */
final class MatmulLoops {
  private MatmulLoops() {}

  /**
   * y[i, m, n] = Σₖ a[i, m, k] b[i, k, n].
   *
   * @param a [batch, m, k]
   * @param b [batch, k, n]
   * @param y [batch, m, n]
   */
  static void batched(Strided a, Strided b, Strided y) {
    boolean whole = Types.isWhole(y.type());
    int depth = Math.toIntExact(a.size(2));
    int columns = Math.toIntExact(b.size(2));
    double[] row = new double[depth];
    long[] longRow = new long[depth];
    double[] bRow = new double[columns];
    long[] bLongRow = new long[columns];
    for (long i = 0; i < a.size(0); i++) {
      for (long m = 0; m < a.size(1); m++) {
        Strided left = a.selected(0, i).selected(0, m);
        Strided to = y.selected(0, i).selected(0, m);
        if (whole) {
          long[] sums = new long[columns];
          LaneLoops.read(left, 0, start(left), longRow);
          for (int k = 0; k < depth; k++) {
            Strided right = b.selected(0, i).selected(0, k);
            LaneLoops.read(right, 0, start(right), bLongRow);
            for (int n = 0; n < columns; n++) {
              sums[n] += longRow[k] * bLongRow[n];
            }
          }
          LaneLoops.write(to, 0, start(to), sums);
        } else {
          double[] sums = new double[columns];
          LaneLoops.read(left, 0, start(left), row);
          for (int k = 0; k < depth; k++) {
            Strided right = b.selected(0, i).selected(0, k);
            LaneLoops.read(right, 0, start(right), bRow);
            for (int n = 0; n < columns; n++) {
              sums[n] += row[k] * bRow[n];
            }
          }
          LaneLoops.write(to, 0, start(to), sums);
        }
      }
    }
  }

  private static long start(Strided x) {
    return x.offset() * x.codec().bytes();
  }
}
