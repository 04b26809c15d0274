package dev.gatun.kernels.reference;

/** What every intermediate result of a reference kernel is rounded to. */
public enum Precision {
  /** Double precision throughout: the oracle. */
  F64 {
    @Override
    double round(double x) {
      return x;
    }
  },
  /**
   * Single precision after every operation: the plain computation whose error a kernel's is
   * measured by.
   */
  F32 {
    @Override
    double round(double x) {
      return (float) x;
    }
  },
  /**
   * The same with the terms of sums from the last to the first: a second plain computation, so that
   * the luck of one order does not decide how much a kernel may err.
   */
  F32_REVERSED {
    @Override
    double round(double x) {
      return (float) x;
    }

    @Override
    int term(int i, int count) {
      return count - 1 - i;
    }
  };

  abstract double round(double x);

  /** The index of the i-th term to sum. */
  int term(int i, int count) {
    return i;
  }
}
