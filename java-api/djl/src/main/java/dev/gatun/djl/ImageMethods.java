package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Randoms.Draw;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Types;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/** Operations on images. */
interface ImageMethods extends NetworkMethods {
  /** Steps of a whole number that images of whole numbers are computed to. */
  int ROUNDING = 1024;

  /** DJL's numbers of the kinds, in the order of its {@code Image.Interpolation}. */
  enum Interpolation {
    NEAREST,
    BILINEAR,
    AREA,
    BICUBIC;

    static Interpolation of(int mode) {
      if (mode < 0 || mode >= values().length) {
        throw new IllegalArgumentException(
            "interpolation: mode %d, expected 0 (nearest), 1 (bilinear), 2 (area) or 3 (bicubic)"
                .formatted(mode));
      }
      return values()[mode];
    }

    /**
     * How much of each place of an axis goes to each of its new places, [to, from]; of the nearest
     * ones see {@link #places}. Between neighbours it is PyTorch's antialiased form, which looks at
     * all places that become one; with corners that stay, the plain one, at the two or four
     * nearest.
     */
    double[] weights(int from, int to, boolean alignCorners, DataType type) {
      double[] weights = new double[to * from];
      double scale = (double) from / to;
      for (int i = 0; i < to; i++) {
        int row = i * from;
        switch (this) {
          case AREA -> {
            int begin = (int) ((long) i * from / to);
            int end = (int) Math.ceilDiv((i + 1L) * from, to);
            for (int k = begin; k < end; k++) {
              weights[row + k] = 1.0 / (end - begin);
            }
          }
          default -> {
            if (alignCorners) {
              nearest(weights, row, from, to == 1 ? 0 : (double) i * (from - 1) / (to - 1));
            } else {
              antialiased(weights, row, from, to, i, type);
            }
          }
        }
      }
      return weights;
    }

    /** The nearest place of an axis for each of its new places. */
    static long[] places(int from, int to) {
      double scale = (double) from / to;
      return IntStream.range(0, to)
          .mapToLong(i -> Math.min(from - 1, (long) Math.floor(i * scale)))
          .toArray();
    }

    private void nearest(double[] weights, int row, int from, double at) {
      int low = Math.min(from - 1, (int) at);
      if (this == BILINEAR) {
        weights[row + low] += 1 - (at - low);
        weights[row + Math.min(from - 1, low + 1)] += at - low;
        return;
      }
      for (int tap = -1; tap <= 2; tap++) {
        weights[row + Math.clamp(low + tap, 0, from - 1)] += cubic(Math.abs(at - low - tap), -0.75);
      }
    }

    /** In the precision of the array's type, whose last bit decides which places are looked at. */
    private void antialiased(double[] weights, int row, int from, int to, int i, DataType type) {
      DoubleUnaryOperator rounded = type == DataType.FLOAT64 ? x -> x : x -> (float) x;
      double scale = rounded.applyAsDouble((double) from / to);
      double reach = (this == BILINEAR ? 1 : 2) * Math.max(1, scale);
      double narrowed = rounded.applyAsDouble(1 / Math.max(1, scale));
      double centre = rounded.applyAsDouble(scale * (i + 0.5));
      double first = rounded.applyAsDouble(rounded.applyAsDouble(centre - reach) + 0.5);
      double last = rounded.applyAsDouble(rounded.applyAsDouble(centre + reach) + 0.5);
      int begin = Math.max(0, (int) first);
      int end = Math.min(from, (int) last);
      double sum = 0;
      for (int k = begin; k < end; k++) {
        double distance = Math.abs(k - centre + 0.5) * narrowed;
        weights[row + k] = this == BILINEAR ? Math.max(0, 1 - distance) : cubic(distance, -0.5);
        sum += weights[row + k];
      }
      for (int k = begin; k < end; k++) {
        weights[row + k] /= sum;
      }
    }

    /** Keys' kernel (IEEE ASSP 29, 1981). */
    private static double cubic(double x, double a) {
      return x <= 1
          ? ((a + 2) * x - (a + 3)) * x * x + 1
          : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    }
  }

  @Override
  default NDArray interpolation(long[] size, int mode, boolean alignCorners) {
    Shape shape = x().getShape();
    if (shape.dimension() != size.length + 2 || shape.size() == 0) {
      throw Refusal.wrong(
          "interpolation: the array has shape %s, expected [batch, channels] and %d axes more",
          shape, size.length);
    }
    if (x().getDataType() != DataType.UINT8) {
      return interpolated(Interpolation.of(mode), size, 2, alignCorners, false);
    }
    // PyTorch's: bytes after each axis, by weights of as many bits as 16 have room for.
    try (GatunNDArray y = interpolated(Interpolation.of(mode), size, 2, alignCorners, true)) {
      return y.toType(DataType.UINT8, true);
    }
  }

  /** Weights as whole numbers of 16 bits, over a power of 2. */
  private static double[] of16Bits(double[] weights) {
    double most = Arrays.stream(weights).max().orElse(0);
    int bits = 0;
    while (bits < 22 && Math.round(most * (2 << bits)) < 1 << 15) {
      bits++;
    }
    double scale = 1 << bits;
    // Half a step away from 0.
    return Arrays.stream(weights)
        .map(weight -> (int) (weight * scale + Math.copySign(0.5, weight)) / scale)
        .toArray();
  }

  /** The axes from one on, of new lengths: each a product with a matrix. */
  private GatunNDArray interpolated(
      Interpolation mode, long[] size, int first, boolean alignCorners, boolean bytes) {
    return steps(
        scratch -> {
          NDArray y = NetworkMethods.in(scratch, x());
          DataType type = Types.floating(y.getDataType());
          y = y.toType(type, false);
          int last = y.getShape().dimension() - 1;
          // The last axis first, as PyTorch.
          for (int i = size.length - 1; i >= 0; i--) {
            int from = Math.toIntExact(y.size(first + i));
            int to = Math.toIntExact(size[i]);
            if (to < 1) {
              throw Refusal.wrong("interpolation: a length of %d, expected 1 or more", to);
            }
            if (mode == Interpolation.NEAREST) {
              // No product, which would spread what is not finite.
              NDArray places = scratch.create(Interpolation.places(from, to));
              y = y.swapAxes(first + i, 0).get(places).swapAxes(first + i, 0);
              continue;
            }
            double[] parts =
                bytes
                    ? of16Bits(mode.weights(from, to, alignCorners, DataType.FLOAT64))
                    : mode.weights(from, to, alignCorners, type);
            NDArray weights = scratch.create(parts, new Shape(to, from)).toType(type, false);
            y = y.swapAxes(first + i, last).matMul(weights.transpose()).swapAxes(first + i, last);
            y = bytes ? y.add(0.5f).floor().clip(0, 255) : y;
          }
          return y;
        });
  }

  @Override
  default NDArray resize(int width, int height, int interpolation) {
    int rank = x().getShape().dimension();
    if (x().isEmpty() || (rank != 3 && rank != 4)) {
      throw new IllegalArgumentException(
          "resize: the array has shape %s, expected [height, width, channels] or a batch of them"
              .formatted(x().getShape()));
    }
    Interpolation mode = Interpolation.of(interpolation);
    try (GatunNDArray result =
        interpolated(mode, new long[] {height, width}, rank - 3, false, false)) {
      if (result.getDataType() == x().getDataType()) {
        return result.duplicate();
      }
      // What lacks a whole number by rounding alone does not lose one more with its fraction.
      try (NDArray steps = result.mul(ROUNDING);
          NDArray whole = steps.round();
          NDArray near = whole.div(ROUNDING)) {
        return near.toType(x().getDataType(), true);
      }
    }
  }

  @Override
  default NDArray randomFlipLeftRight() {
    return flipped(-2);
  }

  @Override
  default NDArray randomFlipTopBottom() {
    return flipped(-3);
  }

  /** [.., height, width, channels], with one axis turned round in one of two cases. */
  private NDArray flipped(int axis) {
    return Randoms.draw().uniform() < 0.5 ? x().duplicate() : x().flip(axis);
  }

  @Override
  default NDArray randomBrightness(float brightness) {
    return randomColorJitter(brightness, 0, 0, 0);
  }

  @Override
  default NDArray randomHue(float hue) {
    return randomColorJitter(0, 0, 0, hue);
  }

  /**
   * [.., height, width, 3], whose brightness, contrast and saturation are multiplied by numbers
   * within the given distances from 1, and whose colours are turned in YIQ by a part of π.
   */
  @Override
  default NDArray randomColorJitter(float brightness, float contrast, float saturation, float hue) {
    Shape shape = x().getShape();
    if (shape.dimension() < 3 || shape.get(shape.dimension() - 1) != 3) {
      throw Refusal.wrong(
          "randomColorJitter: the array has shape %s, expected [.., height, width, 3]", shape);
    }
    Draw draw = Randoms.draw();
    double light = 1 + brightness * (2 * draw.uniform() - 1);
    double spread = 1 + contrast * (2 * draw.uniform() - 1);
    double colour = 1 + saturation * (2 * draw.uniform() - 1);
    double angle = Math.PI * hue * (2 * draw.uniform() - 1);
    int rank = shape.dimension();
    int[] image = {rank - 3, rank - 2, rank - 1};
    return steps(
        scratch -> {
          NDArray y = NetworkMethods.in(scratch, x());
          DataType type = Types.floating(y.getDataType());
          y = y.toType(type, false).mul(light);
          NDArray grey = grey(scratch, y).mean(image, true);
          y = y.mul(spread).add(grey.mul(1 - spread));
          y = y.mul(colour).add(grey(scratch, y).mul(1 - colour));
          if (angle != 0) {
            y = y.matMul(turn(scratch, angle).toType(type, false));
          }
          return y.toType(x().getDataType(), true);
        });
  }

  /** The luma of ITU-R BT.601, [.., height, width, 1]. */
  private static NDArray grey(NDManager scratch, NDArray image) {
    NDArray luma =
        scratch.create(new double[] {0.299, 0.587, 0.114}).toType(image.getDataType(), false);
    return image.mul(luma).sum(new int[] {-1}, true);
  }

  /** What a row of red, green and blue is multiplied by to turn its colour. */
  private static NDArray turn(NDManager scratch, double angle) {
    double[] toYiq = {
      0.299, 0.587, 0.114, 0.595716, -0.274453, -0.321263, 0.211456, -0.522591, 0.311135
    };
    double cos = Math.cos(angle);
    double sin = Math.sin(angle);
    double[] turned = {1, 0, 0, 0, cos, -sin, 0, sin, cos};
    NDArray yiq = scratch.create(toYiq, new Shape(3, 3));
    NDArray turns = scratch.create(turned, new Shape(3, 3));
    return yiq.inverse().matMul(turns).matMul(yiq).transpose();
  }
}
