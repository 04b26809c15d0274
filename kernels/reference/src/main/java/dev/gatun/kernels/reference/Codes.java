package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.TokenCodes;

/** What signed bytes mean, {@code offset + scale * code}; in F32 whatever the precision is. */
record Codes(float scale, float offset) {
  private static final float LEAST = 0x1p-120f;

  /** What the codes of a row mean. */
  static Codes given(ActivationCodes codes, long row) {
    long at = codes.scales().size(0) == 1 ? 0 : row;
    View offsets = View.of(codes.offsets());
    return new Codes(
        (float) View.of(codes.scales()).get(at), offsets == null ? 0 : (float) offsets.get(at));
  }

  /** Makes numbers codes in place. */
  static Codes of(double[] x, boolean withOffset) {
    float least = 0;
    float most = 0;
    boolean finite = true;
    for (int i = 0; i < x.length; i++) {
      float v = (float) x[i];
      least = i == 0 && withOffset ? v : Math.min(least, v);
      most = i == 0 && withOffset ? v : Math.max(most, v);
      finite &= Float.isFinite(v);
    }
    // Adding 0 makes -0 it.
    float offset = withOffset && finite ? 0.5f * most + 0.5f * least + 0 : 0;
    float half = withOffset ? 0.5f * most - 0.5f * least : Math.max(most, -least);
    boolean zero = half < LEAST;
    float inverse = zero ? 0 : 127 / half;
    for (int i = 0; i < x.length; i++) {
      x[i] = finite ? Math.rint(((float) x[i] - offset) * inverse) : 0;
    }
    return new Codes(finite ? zero ? 0 : half / 127 : Float.NaN, offset);
  }

  /** Makes numbers codes of this meaning in place. */
  private void apply(double[] x) {
    float inverse = Math.abs(scale) < LEAST ? 0 : 1 / scale;
    for (int i = 0; i < x.length; i++) {
      double code = Math.rint(((float) x[i] - offset) * inverse);
      x[i] = Double.isNaN(code) ? 0 : Math.clamp(code, -127, 127);
    }
  }

  /** Writes the numbers of a row as its codes, and what they mean where that is to be found. */
  static void write(double[] row, TokenCodes to, long r) {
    if (to.calibrated()) {
      given(to.meaning(), 0).apply(row);
    } else {
      Codes meaning = of(row, to.meaning().offsets() != null);
      View.of(to.meaning().scales()).set(r, meaning.scale);
      if (to.meaning().offsets() != null) {
        View.of(to.meaning().offsets()).set(r, meaning.offset);
      }
    }
    View codes = View.of(to.codes());
    for (int i = 0; i < row.length; i++) {
      codes.setLong(r * to.codes().stride(0) + i, (long) row[i]);
    }
  }
}
