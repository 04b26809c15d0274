package dev.gatun.test.gradients;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.reference.ReferenceBackend;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Compares gradients with central differences, all in double: of {@code Σ w y} for what an op gives
 * and random numbers w, by each element of each input.
 */
final class Differences {
  static final Device DOUBLES = Device.of(ReferenceBackend.ofDoubles());

  /** A power of two, which moves an input without rounding it. */
  private static final float STEP = 0x1p-12f;

  private static final double MOST = 1e-6;

  private Differences() {}

  /** Random numbers of a few bits from -2 to 2. */
  static Tensor random(Random random, long... shape) {
    int count = 1;
    for (long length : shape) {
      count *= (int) length;
    }
    float[] elements = new float[count];
    for (int i = 0; i < count; i++) {
      elements[i] = (random.nextInt(512) - 256) / 128f + 1 / 256f;
    }
    return Tensor.of(DOUBLES, elements, shape);
  }

  static double[] elements(Tensor x) {
    return ReferenceBackend.elements(x.operand());
  }

  /**
   * Requires the gradients of an op to be what differences are.
   *
   * @param what is compared, for the message
   * @param inputs F32 without gaps, all of which gradients are asked for
   * @param op what is made of them
   */
  static void compare(String what, List<Tensor> inputs, Function<List<Tensor>, List<Tensor>> op) {
    try (Scope _ = Scope.open();
        Tape tape = Tape.record(inputs)) {
      Random random = new Random(7);
      Tensor loss = loss(op.apply(inputs), random);
      try (Gradients gradients = tape.backward(loss)) {
        for (int i = 0; i < inputs.size(); i++) {
          compare(what + " of input " + i, inputs, i, gradients.of(inputs.get(i)), op);
        }
      }
    }
  }

  private static void compare(
      String what,
      List<Tensor> inputs,
      int input,
      Tensor gradient,
      Function<List<Tensor>, List<Tensor>> op) {
    Tensor x = inputs.get(input);
    float[] at = x.toFloatArray();
    double[] got = gradient == null ? new double[at.length] : elements(gradient);
    double largest = 0;
    for (int e = 0; e < at.length; e++) {
      float here = at[e];
      at[e] = here + STEP;
      x.write(at);
      double above = value(op.apply(inputs));
      at[e] = here - STEP;
      x.write(at);
      double below = value(op.apply(inputs));
      at[e] = here;
      x.write(at);
      double expected = (above - below) / (2 * STEP);
      largest = Math.max(largest, Math.abs(expected));
      assertTrue(
          Math.abs(got[e] - expected) <= MOST * Math.max(1, Math.abs(expected)),
          "%s, element %d: %s, differences give %s".formatted(what, e, got[e], expected));
    }
    assertTrue(largest > 1e-3, what + ": the op does not change with it");
  }

  /** The loss by ops, and in double by {@link #value} with the same weights. */
  private static Tensor loss(List<Tensor> results, Random random) {
    Tensor loss = null;
    for (Tensor y : results) {
      if (y == null || y.dtype() != DType.F32) {
        continue;
      }
      Tensor weighed =
          dev.gatun.ops.Reductions.sum(
              dev.gatun.ops.Elementwise.multiply(y, random(random, y.shape())));
      loss = loss == null ? weighed : dev.gatun.ops.Elementwise.add(loss, weighed);
    }
    return loss;
  }

  private static double value(List<Tensor> results) {
    Random random = new Random(7);
    double sum = 0;
    for (Tensor y : results) {
      if (y == null || y.dtype() != DType.F32) {
        continue;
      }
      double[] weights = elements(random(random, y.shape()));
      double[] elements = elements(y);
      for (int i = 0; i < elements.length; i++) {
        sum += weights[i] * elements[i];
      }
    }
    return sum;
  }
}
