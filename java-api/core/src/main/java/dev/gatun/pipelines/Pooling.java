package dev.gatun.pipelines;

/** How the vectors of a text's tokens become one. */
public enum Pooling {
  /** Their mean. */
  MEAN {
    @Override
    void pool(float[] hidden, int first, int tokens, float[] out) {
      for (int i = 0; i < out.length; i++) {
        double sum = 0;
        for (int t = 0; t < tokens; t++) {
          sum += hidden[(first + t) * out.length + i];
        }
        out[i] = tokens == 0 ? 0 : (float) (sum / tokens);
      }
    }
  },

  /** The first token's. */
  CLS {
    @Override
    void pool(float[] hidden, int first, int tokens, float[] out) {
      if (tokens > 0) {
        System.arraycopy(hidden, first * out.length, out, 0, out.length);
      }
    }
  },

  /** The greatest value of each feature. */
  MAX {
    @Override
    void pool(float[] hidden, int first, int tokens, float[] out) {
      for (int i = 0; i < out.length; i++) {
        float most = tokens == 0 ? 0 : Float.NEGATIVE_INFINITY;
        for (int t = 0; t < tokens; t++) {
          most = Math.max(most, hidden[(first + t) * out.length + i]);
        }
        out[i] = most;
      }
    }
  };

  /**
   * Pools one text out of packed rows.
   *
   * @param hidden [all tokens, out.length]
   * @param first the text's first row
   * @param tokens its number of rows
   * @param out the vector
   */
  abstract void pool(float[] hidden, int first, int tokens, float[] out);
}
