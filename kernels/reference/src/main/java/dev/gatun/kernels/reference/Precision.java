package dev.gatun.kernels.reference;

/** What every intermediate result of a reference kernel is rounded to. */
public enum Precision {
  /** Double precision throughout: the oracle. */
  F64 {
    @Override
    double round(double x) {
      return x;
    }

    @Override
    double store(double x) {
      return x;
    }
  },
  /**
   * Single precision after every operation: the plain computation whose error a kernel's is
   * measured by.
   */
  F32,
  /**
   * The same with the terms of sums from the last to the first: a second plain computation, so that
   * the luck of one order does not decide how much a kernel may err.
   */
  F32_REVERSED {
    @Override
    int term(int i, int count) {
      return count - 1 - i;
    }
  },
  /** Sums in single precision, and bf16 for every tensor between two operations. */
  BF16 {
    @Override
    double store(double x) {
      return View.bf16ToFloat(View.floatToBf16((float) x));
    }
  },
  /** Sums in single precision, and f16 for every tensor between two operations. */
  F16 {
    @Override
    double store(double x) {
      return Float.float16ToFloat(Float.floatToFloat16((float) x));
    }
  };

  /** What the result of one operation on numbers becomes. */
  double round(double x) {
    return (float) x;
  }

  /** What an element of a tensor between two kernels of the plain computation becomes. */
  double store(double x) {
    return (float) x;
  }

  /** The index of the i-th term to sum. */
  int term(int i, int count) {
    return i;
  }
}
