package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.Windows;

/** Convolutions of one to three inner axes, and their transposed form, as plain sums in double. */
interface ConvolutionMethods extends ExMethods {
  @Override
  default NDList convolution(
      NDArray input,
      NDArray weight,
      NDArray bias,
      Shape stride,
      Shape padding,
      Shape dilation,
      int groups) {
    GatunNDArray x = own(input);
    Shape shape = x.getShape();
    Shape kernel = weight.getShape();
    check("convolution", shape, kernel, groups, kernel.dimension() < 2 ? -1 : kernel.get(1));
    Windows windows =
        Windows.of("convolution", shape, kernel.slice(2), ones(stride), padding, dilation, false);
    int inputs = Math.toIntExact(kernel.get(1));
    int outputs = Math.toIntExact(kernel.get(0));
    if (outputs % groups != 0) {
      throw Refusal.wrong("convolution: %d output channels in %d groups", outputs, groups);
    }
    int taps = Math.toIntExact(kernel.slice(2).size());
    double[] from = x.numbers();
    double[] w = own(weight).numbers();
    double[] b = bias == null ? null : own(bias).numbers();
    int batch = Math.toIntExact(shape.get(0));
    double[] y = new double[batch * outputs * windows.outer()];
    for (int n = 0; n < batch; n++) {
      for (int o = 0; o < outputs; o++) {
        int to = (n * outputs + o) * windows.outer();
        if (b != null) {
          java.util.Arrays.fill(y, to, to + windows.outer(), b[o]);
        }
        int group = o / (outputs / groups);
        for (int i = 0; i < inputs; i++) {
          int plane = (n * inputs * groups + group * inputs + i) * windows.inner();
          int filter = (o * inputs + i) * taps;
          windows.forEach(
              (at, window, tap) -> y[to + window] += w[filter + tap] * from[plane + at]);
        }
      }
    }
    return result(x, windows.shape(batch, outputs, shape.dimension()), y);
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
    GatunNDArray x = own(input);
    Shape shape = x.getShape();
    Shape kernel = weight.getShape();
    check(
        "deconvolution",
        shape,
        kernel,
        groups,
        kernel.dimension() < 2 || kernel.get(0) % groups != 0 ? -1 : kernel.get(0) / groups);
    int axes = shape.dimension() - 2;
    int outputs = Math.toIntExact(kernel.get(1)) * groups;
    Shape full = new Shape(shape.get(0), outputs);
    for (int i = 0; i < axes; i++) {
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
    int taps = Math.toIntExact(kernel.slice(2).size());
    int inputs = Math.toIntExact(shape.get(1));
    int each = outputs / groups;
    double[] from = x.numbers();
    double[] w = own(weight).numbers();
    double[] b = bias == null ? null : own(bias).numbers();
    int batch = Math.toIntExact(shape.get(0));
    double[] y = new double[batch * outputs * windows.inner()];
    for (int n = 0; n < batch; n++) {
      for (int o = 0; o < outputs; o++) {
        int to = (n * outputs + o) * windows.inner();
        if (b != null) {
          java.util.Arrays.fill(y, to, to + windows.inner(), b[o]);
        }
        int group = o / each;
        for (int i = 0; i < inputs / groups; i++) {
          int channel = group * (inputs / groups) + i;
          int plane = (n * inputs + channel) * windows.outer();
          int filter = (channel * each + o % each) * taps;
          windows.forEach(
              (at, window, tap) -> y[to + at] += w[filter + tap] * from[plane + window]);
        }
      }
    }
    return result(x, full, y);
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

  private NDList result(GatunNDArray x, Shape shape, double[] y) {
    int[] next = new int[1];
    return new NDList(
        x.getManager().drawn(shape, Types.floating(x.getDataType()), () -> y[next[0]++]));
  }
}
