package dev.gatun.pipelines;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How near two vectors are: the larger, the nearer; named as {@code similarity_fn_name}. */
public enum Similarity {
  /** The cosine of the angle between them. */
  COSINE,
  /** Their dot product. */
  DOT,
  /** The negative of their distance. */
  EUCLIDEAN,
  /** The negative of the sum of their features' distances. */
  MANHATTAN;

  /** The function of a name; null for one that is not known. */
  static Similarity of(String name) {
    return switch (name) {
      case "cosine" -> COSINE;
      case "dot" -> DOT;
      case "euclidean" -> EUCLIDEAN;
      case "manhattan" -> MANHATTAN;
      default -> null;
    };
  }

  static String names() {
    return Arrays.stream(values())
        .map(s -> s.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(", "));
  }

  /**
   * How near two vectors are.
   *
   * @throws IllegalArgumentException when they have different numbers of features
   */
  public double of(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "similarity: vectors of %d and %d features".formatted(a.length, b.length));
    }
    double dot = 0;
    double ofA = 0;
    double ofB = 0;
    double squares = 0;
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      dot += (double) a[i] * b[i];
      ofA += (double) a[i] * a[i];
      ofB += (double) b[i] * b[i];
      squares += difference * difference;
      sum += Math.abs(difference);
    }
    return switch (this) {
      case COSINE -> dot / (Math.max(Math.sqrt(ofA), 1e-12) * Math.max(Math.sqrt(ofB), 1e-12));
      case DOT -> dot;
      case EUCLIDEAN -> -Math.sqrt(squares);
      case MANHATTAN -> -sum;
    };
  }
}
