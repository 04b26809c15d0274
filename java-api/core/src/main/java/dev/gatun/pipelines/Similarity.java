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
   * {@return how near two vectors are; the larger, the nearer}
   *
   * @param a [features]
   * @param b [features], as many
   * @throws IllegalArgumentException when they have different numbers of features
   */
  public double of(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "similarity: vectors of %d and %d features".formatted(a.length, b.length));
    }
    return switch (this) {
      case COSINE -> dot(a, b) / (length(a) * length(b));
      case DOT -> dot(a, b);
      case EUCLIDEAN -> {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
          double difference = (double) a[i] - b[i];
          squares += difference * difference;
        }
        yield -Math.sqrt(squares);
      }
      case MANHATTAN -> {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
          sum += Math.abs((double) a[i] - b[i]);
        }
        yield -sum;
      }
    };
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /** The length of a vector, or what a smaller one is divided by. */
  private static double length(float[] a) {
    return Math.max(Math.sqrt(dot(a, a)), 1e-12);
  }
}
