package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Randoms.Draw;
import java.util.Arrays;

/** Random arrays whose parameters are arrays. */
final class Distributions {
  /** A number by its two parameters. */
  interface Sampler {
    double sample(Draw draw, double a, double b);
  }

  /** How much more than 1 probabilities add up to by the rounding of FLOAT16. */
  private static final double SLACK = 1e-2;

  private Distributions() {}

  /** Refuses parameters that no distribution has. */
  static void requireFromZero(String op, String name, GatunNDArray parameter) {
    for (double value : parameter.numbers()) {
      if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "%s: %s has %s, expected finite numbers from 0".formatted(op, name, value));
      }
    }
  }

  /**
   * As many numbers for each pair of parameters as the shape has.
   *
   * @param a of any shape
   * @param b of a's shape
   */
  static NDArray of(
      GatunNDManager manager, GatunNDArray a, GatunNDArray b, Shape shape, Sampler sampler) {
    if (!a.getShape().equals(b.getShape())) {
      throw new IllegalArgumentException(
          "sample: parameters of shapes %s and %s, expected equal ones"
              .formatted(a.getShape(), b.getShape()));
    }
    double[] first = a.numbers();
    double[] second = b.numbers();
    int each = Math.toIntExact(shape.size());
    Draw draw = Randoms.draw();
    int[] next = new int[1];
    return manager.drawn(
        a.getShape().addAll(shape),
        DataType.FLOAT32,
        () -> {
          int at = next[0]++ / each;
          return sampler.sample(draw, first[at], second[at]);
        });
  }

  /**
   * How often each outcome came of n draws, n draws for each place of the shape; what the others'
   * probabilities leave of 1 is the last one's.
   */
  static NDArray multinomial(GatunNDManager manager, int n, GatunNDArray pValues, Shape shape) {
    double[] p = pValues.numbers();
    if (n < 0 || pValues.getShape().dimension() != 1 || p.length == 0) {
      throw new IllegalArgumentException(
          "randomMultinomial: %d draws by pValues of %s, expected 0 or more and one axis"
              .formatted(n, pValues.getShape()));
    }
    requireFromZero("randomMultinomial", "pValues", pValues);
    double others = Arrays.stream(p, 0, p.length - 1).sum();
    if (others > 1 + SLACK) {
      throw new IllegalArgumentException(
          "randomMultinomial: pValues but the last add up to %s, expected at most 1"
              .formatted(others));
    }
    Draw draw = Randoms.draw();
    int rows = Math.toIntExact(shape.size());
    long[] counts = new long[rows * p.length];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < n; i++) {
        double left = draw.wideUniform();
        int outcome = 0;
        while (outcome < p.length - 1 && (left -= p[outcome]) >= 0) {
          outcome++;
        }
        counts[row * p.length + outcome]++;
      }
    }
    return manager.create(counts, shape.addAll(pValues.getShape()));
  }
}
