package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.Windows;
import java.util.Arrays;

/**
 * Convolutions of one to three inner axes, and their transposed form: products of matrices with the
 * windows' places as columns (Chellapilla et al., IWFHR 2006).
 */
interface ConvolutionMethods extends NetworkMethods {
  @Override
  default NDList convolution(
      NDArray input,
      NDArray weight,
      NDArray bias,
      Shape stride,
      Shape padding,
      Shape dilation,
      int groups) {
    Shape shape = input.getShape();
    Shape kernel = weight.getShape();
    check("convolution", shape, kernel, groups, kernel.dimension() < 2 ? -1 : kernel.get(1));
    Windows windows =
        Windows.of("convolution", shape, kernel.slice(2), ones(stride), padding, dilation, false);
    long batch = shape.get(0);
    long outputs = kernel.get(0);
    if (outputs % groups != 0) {
      throw Refusal.wrong("convolution: %d output channels in %d groups", outputs, groups);
    }
    Shape result = windows.shape(batch, outputs, shape.dimension());
    long depth = kernel.size() / Math.max(1, outputs);
    DataType type = input.getDataType();
    boolean whole = type != DataType.BOOLEAN && Types.isWhole(type) && type == weight.getDataType();
    DataType wide = whole ? DataType.FLOAT64 : null;
    return new NDList(
        steps(
            scratch -> {
              GatunNDArray x = floating(NetworkMethods.in(scratch, input), wide);
              NDArray filters =
                  floating(NetworkMethods.in(scratch, weight), wide)
                      .reshape(groups, outputs / groups, depth);
              NDArray columns =
                  (windows.areElements() ? x : ((ConvolutionMethods) ex(x)).unfolded(windows))
                      .reshape(batch, groups, depth, windows.outer());
              NDArray y = biased(scratch, filters.matMul(columns).reshape(result), bias);
              return whole ? y.toType(type, false) : y;
            }));
  }

  @Override
  default NDList deconvolution(
      NDArray input,
      NDArray weight,
      NDArray bias,
      Shape stride,
      Shape padding,
      Shape outPadding,
      Shape dilation,
      int groups) {
    Shape shape = input.getShape();
    Shape kernel = weight.getShape();
    check(
        "deconvolution",
        shape,
        kernel,
        groups,
        kernel.dimension() < 2 || kernel.get(0) % groups != 0 ? -1 : kernel.get(0) / groups);
    long batch = shape.get(0);
    long each = kernel.get(1);
    Shape full = new Shape(batch, each * groups);
    for (int i = 0; i < shape.dimension() - 2; i++) {
      full =
          full.add(
              (shape.get(2 + i) - 1) * at(stride, i, 1)
                  - 2 * at(padding, i, 0)
                  + at(dilation, i, 1) * (kernel.get(2 + i) - 1)
                  + at(outPadding, i, 0)
                  + 1);
    }
    // The windows of the convolution that it is the transposed form of.
    Windows windows =
        Windows.of("deconvolution", full, kernel.slice(2), ones(stride), padding, dilation, false);
    long depth = kernel.size() / Math.max(1, kernel.get(0));
    long inputs = kernel.get(0) / groups;
    Shape result = full;
    return new NDList(
        steps(
            scratch -> {
              NDArray x =
                  floating(NetworkMethods.in(scratch, input), null)
                      .reshape(batch, groups, inputs, windows.outer());
              NDArray filters =
                  floating(NetworkMethods.in(scratch, weight), null)
                      .reshape(groups, inputs, depth)
                      .transpose(0, 2, 1);
              GatunNDArray columns = (GatunNDArray) filters.matMul(x);
              NDArray y = ((ConvolutionMethods) ex(columns)).folded(windows, result);
              return biased(scratch, y, bias);
            }));
  }

  private static NDArray biased(ai.djl.ndarray.NDManager scratch, NDArray y, NDArray bias) {
    if (bias == null) {
      return y;
    }
    long[] shape = new long[y.getShape().dimension() - 1];
    Arrays.fill(shape, 1);
    shape[0] = bias.size();
    return y.add(NetworkMethods.in(scratch, bias).reshape(shape));
  }

  /** The array as floating-point numbers, of a type, or where it is null of the array's own. */
  private static GatunNDArray floating(GatunNDArray array, DataType type) {
    return array.toType(type == null ? Types.floating(array.getDataType()) : type, false);
  }

  private static ai.djl.ndarray.internal.NDArrayEx ex(GatunNDArray array) {
    return array.getNDArrayInternal();
  }

  /** [batch, channels, ...] as [batch, channels, taps, windows]. */
  private GatunNDArray unfolded(Windows windows) {
    Shape shape = x().getShape();
    try (GatunNDArray whole = x().rowMajor()) {
      Strided columns =
          Strided.allocate(
              whole.getDataType(), shape.get(0), shape.get(1), windows.taps(), windows.outer());
      ArrayKernels.host().unfold(windows, whole.data(), columns);
      return Tape.record(
          x().make(columns),
          "convolution",
          Keeps.NOTHING,
          step -> {
            ConvolutionMethods g = (ConvolutionMethods) ex(step.gradient());
            step.give(0, g.folded(windows, shape));
          },
          x());
    }
  }

  /** The sum of columns [batch, channels, taps, windows], of any shape, in [batch, ...]. */
  private GatunNDArray folded(Windows windows, Shape shape) {
    Shape before = x().getShape();
    try (GatunNDArray whole = x().rowMajor()) {
      Strided y = Strided.allocate(whole.getDataType(), shape.getShape());
      ArrayKernels.host().fold(windows, whole.data(), y);
      return Tape.record(
          x().make(y),
          "convolution",
          Keeps.NOTHING,
          step -> {
            ConvolutionMethods g = (ConvolutionMethods) ex(step.gradient());
            step.give(0, g.unfolded(windows).reshape(before));
          },
          x());
    }
  }

  private static void check(String op, Shape shape, Shape kernel, int groups, long inputs) {
    if (groups < 1
        || kernel.dimension() != shape.dimension()
        || shape.dimension() < 3
        || shape.get(1) != inputs * groups) {
      throw Refusal.wrong(
          "%s: the array has shape %s, the weight %s, in %d groups: channels or axes do not fit",
          op, shape, kernel, groups);
    }
  }

  private static Shape ones(Shape stride) {
    return stride == null || stride.dimension() == 0 ? new Shape(1) : stride;
  }

  private static long at(Shape shape, int axis, long otherwise) {
    int given = shape == null ? 0 : shape.dimension();
    return given == 0 ? otherwise : shape.get(given == 1 ? 0 : axis);
  }
}
