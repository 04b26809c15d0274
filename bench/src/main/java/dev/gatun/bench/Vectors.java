package dev.gatun.bench;

import java.util.Arrays;

/** Arithmetic on embeddings, and batches as the peers want them. */
final class Vectors {
  private Vectors() {}

  /** Rows one after another. */
  static float[] flat(float[][] rows) {
    int length = 0;
    for (float[] row : rows) {
      length += row.length;
    }
    float[] flat = new float[length];
    int at = 0;
    for (float[] row : rows) {
      System.arraycopy(row, 0, flat, at, row.length);
      at += row.length;
    }
    return flat;
  }

  static float[][] rows(float[] values, int rows) {
    int columns = rows == 0 ? 0 : values.length / rows;
    float[][] result = new float[rows][];
    Arrays.setAll(result, r -> Arrays.copyOfRange(values, r * columns, (r + 1) * columns));
    return result;
  }

  static int longest(long[][] ids) {
    return Arrays.stream(ids).mapToInt(row -> row.length).max().orElse(0);
  }

  /** The ids row-major, padded with 0 to the longest sequence. */
  static long[] padded(long[][] ids, int length) {
    long[] padded = new long[ids.length * length];
    for (int i = 0; i < ids.length; i++) {
      System.arraycopy(ids[i], 0, padded, i * length, ids[i].length);
    }
    return padded;
  }

  /** 1 where there is a token. */
  static long[] mask(long[][] ids, int length) {
    long[] mask = new long[ids.length * length];
    for (int i = 0; i < ids.length; i++) {
      Arrays.fill(mask, i * length, i * length + ids[i].length, 1);
    }
    return mask;
  }

  /** The mean over each sequence's own tokens, of length 1. */
  static float[][] pool(float[] hidden, long[][] ids, int length) {
    int columns = hidden.length / (ids.length * length);
    float[][] result = new float[ids.length][columns];
    for (int i = 0; i < ids.length; i++) {
      for (int t = 0; t < ids[i].length; t++) {
        int row = (i * length + t) * columns;
        for (int d = 0; d < columns; d++) {
          result[i][d] += hidden[row + d];
        }
      }
      double norm = Math.sqrt(dot(result[i], result[i]));
      for (int d = 0; d < columns; d++) {
        result[i][d] = (float) (result[i][d] / norm);
      }
    }
    return result;
  }

  static double dot(float[] a, float[] b) {
    double dot = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
    }
    return dot;
  }
}
