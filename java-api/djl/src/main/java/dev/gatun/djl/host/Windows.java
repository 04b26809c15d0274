package dev.gatun.djl.host;

import ai.djl.ndarray.types.Shape;
import java.util.stream.IntStream;

/**
 * Windows that move over the inner axes of [batch, channels, ...]: their places by PyTorch's rules.
 * One and two inner axes are three of which the first have a length of 1.
 *
 * @param in the length of each inner axis
 * @param kernel of the window
 * @param stride from one window to the next
 * @param padding on each side
 * @param dilation places from one of the window to the next
 * @param out how many windows
 */
public record Windows(
    int[] in, int[] kernel, int[] stride, int[] padding, int[] dilation, int[] out) {
  private static final int AXES = 3;

  /** From so many elements on several threads pay. */
  private static final int MANY = 1 << 15;

  /** What a window makes of its places. */
  public interface Pool {
    /**
     * {@return the result}
     *
     * @param values of the places inside the array
     * @param count how many
     * @param padded how many there are with those of the padding
     */
    double of(double[] values, int count, int padded);
  }

  /**
   * Windows of a pooling or a convolution.
   *
   * @param op for messages
   * @param input [batch, channels, ...]
   * @param ceil whether a window may begin inside and end beyond the padding
   */
  public static Windows of(
      String op,
      Shape input,
      Shape kernel,
      Shape stride,
      Shape padding,
      Shape dilation,
      boolean ceil) {
    int axes = input.dimension() - 2;
    if (axes < 1 || axes > AXES) {
      throw Refusal.wrong(
          "%s: the array has shape %s, expected [batch, channels] and 1 to 3 axes more", op, input);
    }
    int[] in = numbers(op, "array", input.slice(2), axes, 1, 1);
    int[] k = numbers(op, "kernel", kernel, axes, 1, 1);
    // PyTorch's stride is the kernel's length where none is given.
    int[] s = numbers(op, "stride", stride.dimension() == 0 ? kernel : stride, axes, 1, 1);
    int[] p = numbers(op, "padding", padding, axes, 0, 0);
    int[] d = numbers(op, "dilation", dilation, axes, 1, 1);
    int[] out = new int[AXES];
    for (int i = 0; i < AXES; i++) {
      int room = in[i] + 2 * p[i] - d[i] * (k[i] - 1) - 1;
      out[i] = (ceil ? Math.ceilDiv(room, s[i]) : Math.floorDiv(room, s[i])) + 1;
      if (out[i] < 1) {
        throw Refusal.wrong(
            "%s: a window of %d places over an axis of %d with %d of padding",
            op, d[i] * (k[i] - 1) + 1, in[i], 2 * p[i]);
      }
      if (ceil && (out[i] - 1) * s[i] >= in[i] + p[i]) {
        out[i]--;
      }
    }
    return new Windows(in, k, s, p, d, out);
  }

  private static int[] numbers(
      String op, String what, Shape shape, int axes, int otherwise, int least) {
    int[] numbers = new int[AXES];
    java.util.Arrays.fill(numbers, otherwise);
    int given = shape.dimension();
    if (given != 0 && given != 1 && given != axes) {
      throw Refusal.wrong("%s: %s is %s, expected %d numbers", op, what, shape, axes);
    }
    for (int i = 0; given > 0 && i < axes; i++) {
      long number = shape.get(given == 1 ? 0 : i);
      if (number < least) {
        throw Refusal.wrong("%s: %s is %s, expected numbers from %d", op, what, shape, least);
      }
      numbers[AXES - axes + i] = Math.toIntExact(number);
    }
    return numbers;
  }

  /** The elements of an array's inner axes. */
  public int inner() {
    return in[0] * in[1] * in[2];
  }

  /** The elements of a result's inner axes. */
  public int outer() {
    return out[0] * out[1] * out[2];
  }

  /** The shape of a result. */
  public Shape shape(long batch, long channels, int rank) {
    Shape shape = new Shape(batch, channels);
    for (int i = AXES - (rank - 2); i < AXES; i++) {
      shape = shape.add(out[i]);
    }
    return shape;
  }

  /** The places of a window. */
  public int taps() {
    return kernel[0] * kernel[1] * kernel[2];
  }

  /** Whether each window is one element and each element has one. */
  public boolean areElements() {
    return taps() == 1 && java.util.Arrays.equals(in, out);
  }

  /** What is done for each pair of an array's place and a window's. */
  private interface Pair {
    /**
     * @param at the place in the array's inner axes
     * @param window the window
     * @param tap the place in the kernel
     */
    void of(int at, int window, int tap);
  }

  private void visit(int window, Pair pair) {
    int[] first = first(window);
    int tap = 0;
    for (int a = 0; a < kernel[0]; a++) {
      int x = first[0] + a * dilation[0];
      for (int b = 0; b < kernel[1]; b++) {
        int y = first[1] + b * dilation[1];
        for (int c = 0; c < kernel[2]; c++, tap++) {
          int z = first[2] + c * dilation[2];
          if (x >= 0 && x < in[0] && y >= 0 && y < in[1] && z >= 0 && z < in[2]) {
            pair.of((x * in[1] + y) * in[2] + z, window, tap);
          }
        }
      }
    }
  }

  private int[] first(int window) {
    int[] at = {
      window / (out[1] * out[2]), window / out[2] % out[1], window % out[2],
    };
    for (int i = 0; i < AXES; i++) {
      at[i] = at[i] * stride[i] - padding[i];
    }
    return at;
  }

  /** How many places a window has with those of the padding. */
  private int padded(int window) {
    int padded = 1;
    int[] first = first(window);
    for (int i = 0; i < AXES; i++) {
      padded *= Math.min(first[i] + kernel[i], in[i] + padding[i]) - first[i];
    }
    return padded;
  }

  /** Pools each plane of [planes, inner]. */
  public double[] pool(double[] x, Pool pool) {
    int planes = inner() == 0 ? 0 : x.length / inner();
    double[] y = new double[planes * outer()];
    IntStream all = IntStream.range(0, planes);
    (x.length < MANY ? all : all.parallel()).forEach(plane -> pool(x, plane, pool, y));
    return y;
  }

  private void pool(double[] x, int plane, Pool pool, double[] y) {
    double[] values = new double[taps()];
    int[] count = new int[1];
    int base = plane * inner();
    for (int window = 0; window < outer(); window++) {
      count[0] = 0;
      visit(window, (at, ignored, tap) -> values[count[0]++] = x[base + at]);
      y[plane * outer() + window] = pool.of(values, count[0], padded(window));
    }
  }

  /** The gradients of a window's places. */
  public interface Slopes {
    /**
     * Replaces the places' values by their gradients.
     *
     * @param values of the places inside the array
     * @param count how many
     * @param padded how many there are with those of the padding
     * @param gradient of the result
     */
    void of(double[] values, int count, int padded, double gradient);
  }

  /** The gradient of [planes, inner], by that of what pooling made of it. */
  public double[] poolGradient(double[] x, double[] gradient, Slopes slopes) {
    double[] sums = new double[x.length];
    double[] values = new double[taps()];
    int[] places = new int[taps()];
    int[] count = new int[1];
    for (int i = 0; i < gradient.length; i++) {
      int base = i / outer() * inner();
      count[0] = 0;
      visit(
          i % outer(),
          (at, ignored, tap) -> {
            places[count[0]] = base + at;
            values[count[0]++] = x[base + at];
          });
      slopes.of(values, count[0], padded(i % outer()), gradient[i]);
      for (int k = 0; k < count[0]; k++) {
        sums[places[k]] += values[k];
      }
    }
    return sums;
  }
}
