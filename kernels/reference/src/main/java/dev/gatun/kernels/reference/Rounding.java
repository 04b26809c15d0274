package dev.gatun.kernels.reference;

/** What becomes of a number that is kept in a format. */
public enum Rounding {
  NONE {
    @Override
    double of(double x) {
      return x;
    }
  },
  F32 {
    @Override
    double of(double x) {
      return (float) x;
    }
  },
  BF16 {
    @Override
    double of(double x) {
      return View.bf16ToFloat(View.floatToBf16((float) x));
    }
  },
  F16 {
    @Override
    double of(double x) {
      return Float.float16ToFloat(Float.floatToFloat16((float) x));
    }
  };

  abstract double of(double x);
}
