package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.attention.DisentangledBias;

/** The relative part of DeBERTa's scores. */
final class DisentangledBiasReference {
  private final Precision p;

  DisentangledBiasReference(Precision precision) {
    this.p = precision;
  }

  void run(DisentangledBias c) {
    View c2p = View.of(c.c2p());
    View p2c = View.of(c.p2c());
    View positions = View.of(c.positions());
    View bias = View.of(c.bias());
    long tokens = c.offsets().tokens();
    long longest = c.offsets().longest();
    for (int s = 0; s < c.offsets().sequences(); s++) {
      long first = c.offsets().start(s);
      for (long h = 0; h < c.bias().size(1); h++) {
        for (long i = 0; i < c.offsets().length(s); i++) {
          for (long j = 0; j < c.offsets().length(s); j++) {
            long distance = positions.getLong(first + i) - positions.getLong(first + j);
            double value = 0;
            if (c2p != null) {
              long index = clamp(c.span() + bucket(distance, c), c);
              value += c2p.get((h * tokens + first + i) * 2 * c.span() + index);
            }
            if (p2c != null) {
              long index = clamp(c.span() - bucket(-distance, c), c);
              value = p.round(value + p2c.get((h * tokens + first + j) * 2 * c.span() + index));
            }
            bias.set(
                ((s * c.bias().size(1) + h) * longest + i) * longest + j,
                p.round(c.scale() * value));
          }
        }
      }
    }
  }

  private static long clamp(long index, DisentangledBias c) {
    return Math.clamp(index, 0, 2 * c.span() - 1);
  }

  /**
   * The bucket of a distance. It is computed in single precision whatever the kernel's: a model was
   * trained with the side that float rounding gave its buckets' edges.
   */
  private static long bucket(long distance, DisentangledBias c) {
    long middle = c.buckets() / 2;
    long far = Math.abs(distance);
    if (c.buckets() == 0 || far <= middle) {
      return distance;
    }
    float ratio = (float) far / (float) middle;
    float limit = (float) ((double) (c.maxPosition() - 1) / middle);
    float steps = (float) Math.log(ratio) / (float) Math.log(limit) * (float) (middle - 1);
    return Long.signum(distance) * ((long) Math.ceil(steps) + middle);
  }
}
