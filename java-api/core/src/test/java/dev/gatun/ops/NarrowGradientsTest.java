package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Gradients of layers whose products read BF16. Of whole numbers their sums are exact: what differs
 * from exact products is that 257 and -513 are 256 and -512 as BF16.
 */
final class NarrowGradientsTest {
  private static final Device CPU = Device.cpu();
  private static final int TOKENS = 37;
  private static final int IN = 45;
  private static final int OUT = 70;

  @Test
  void ofRowsOfAWeight() {
    gradients(false);
  }

  /** As GPT-2's files have it. */
  @Test
  void ofColumnsOfAWeight() {
    gradients(true);
  }

  private static float[] numbers(long seed, int count) {
    Random random = new Random(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      int some = random.nextInt(40);
      x[i] = some == 38 ? 257 : some == 39 ? -513 : some - 19;
    }
    return x;
  }

  private static int asBf16(float x) {
    return x == 257 ? 256 : x == -513 ? -512 : (int) x;
  }

  private static float[] matrix(int rows, int columns, IntBinaryOperator element) {
    float[] x = new float[rows * columns];
    for (int i = 0; i < x.length; i++) {
      x[i] = element.applyAsInt(i / columns, i % columns);
    }
    return x;
  }

  private static void gradients(boolean turned) {
    float[] x = numbers(1, TOKENS * IN);
    float[] w = numbers(2, OUT * IN);
    float[] g = numbers(3, TOKENS * OUT);
    try (Scope _ = Scope.open()) {
      Tensor in = Tensor.of(CPU, x, TOKENS, IN);
      Tensor weight =
          turned
              ? Tensor.of(CPU, matrix(IN, OUT, (i, o) -> (int) w[o * IN + i]), IN, OUT)
                  .strided(0, new long[] {OUT, IN}, new long[] {1, OUT})
              : Tensor.of(CPU, w, OUT, IN);
      Tensor packed = Packing.pack(weight, Storage.of(DType.BF16));
      try (Tape tape = Tape.record(in, weight)) {
        Tensor y = Matmul.linear(in, packed, weight, null, Activation.NONE, DType.F32);
        Tensor dy = Tensor.of(CPU, g, TOKENS, OUT);
        try (Gradients gradients = tape.backward(y, dy, new Gradients())) {
          assertArrayEquals(
              matrix(
                  TOKENS,
                  IN,
                  (t, i) -> {
                    int sum = 0;
                    for (int o = 0; o < OUT; o++) {
                      sum += asBf16(g[t * OUT + o]) * asBf16(w[o * IN + i]);
                    }
                    return sum;
                  }),
              gradients.of(in).toFloatArray());
          assertArrayEquals(
              matrix(
                  OUT,
                  IN,
                  (o, i) -> {
                    int sum = 0;
                    for (int t = 0; t < TOKENS; t++) {
                      sum += asBf16(g[t * OUT + o]) * asBf16(x[t * IN + i]);
                    }
                    return sum;
                  }),
              Layouts.contiguous(gradients.of(weight)).toFloatArray());
        }
      }
    }
  }

  /** What a layer gives is read by an op, whose result a second layer reads. */
  private interface Between {
    Tensor of(Tensor x);
  }

  @Test
  void throughAnActivationInBf16() {
    chain(64, 64, x -> Elementwise.activation(x, Activation.GELU));
  }

  @Test
  void throughAGateOfHalvesInBf16() {
    chain(
        128,
        64,
        x -> Elementwise.gatedActivation(x.slice(1, 64, 128), x.slice(1, 0, 64), Activation.SILU));
  }

  /** What two ops read has the sum of their gradients, in F32. */
  @Test
  void ofAResultThatIsReadTwice() {
    chain(
        64,
        64,
        x ->
            Elementwise.add(
                Elementwise.activation(x, Activation.GELU),
                Elementwise.activation(x, Activation.SILU)));
  }

  @Test
  void throughAttentionOfOneLayersPartsInBf16() {
    chain(192, 64, x -> attention(x, 3, 0));
  }

  /** Keys and values that are the same numbers have no places of their own. */
  @Test
  void throughAttentionOfSharedPartsInBf16() {
    chain(128, 64, x -> attention(x, 2, 0));
  }

  /** The last tokens are of no sequence: nothing comes back from them. */
  @Test
  void throughAttentionOfSomeTokensInBf16() {
    // What attention gives of them, the second layer's input, is undefined.
    compare(3, 192, 64, x -> attention(x, 3, 2));
  }

  private static Tensor attention(Tensor x, int parts, int hidden) {
    long[] shape = {TOKENS, 4, 16};
    long[] strides = {64L * parts, 16, 1};
    int last = TOKENS - hidden;
    Segments segments = Segments.known(Tensor.of(CPU, new int[] {0, 9, last}, 3), TOKENS, last - 9);
    return Attention.scaledDotProductAttention(
            x.strided(0, shape, strides),
            segments,
            Attention.Keys.ragged(
                x.strided(64, shape, strides),
                x.strided(64L * (parts - 1), shape, strides),
                segments),
            Attention.Scores.scaled(0.25f),
            false)
        .output()
        .reshape(TOKENS, 64);
  }

  /** Two layers with an op between: as BF16 about what they give as F32. */
  private static void chain(int wide, int narrow, Between between) {
    compare(4, wide, narrow, between);
  }

  private static void compare(int gradients, int wide, int narrow, Between between) {
    float[][] exact = chain(DType.F32, wide, narrow, between);
    float[][] rounded = chain(DType.BF16, wide, narrow, between);
    for (int i = 0; i < gradients; i++) {
      double square = 0;
      double error = 0;
      for (int j = 0; j < exact[i].length; j++) {
        square += (double) exact[i][j] * exact[i][j];
        error += Math.pow((double) exact[i][j] - rounded[i][j], 2);
      }
      assertTrue(square > 0, "gradient " + i + " is 0");
      // A few roundings to 2^-9, and what they cancel to.
      assertEquals(0, Math.sqrt(error / square), 0.02, "relative error of gradient " + i);
    }
  }

  /** The gradients of the input, both weights and the first bias. */
  private static float[][] chain(DType dtype, int wide, int narrow, Between between) {
    Random random = new Random(5);
    try (Scope _ = Scope.open()) {
      Tensor in = normal(random, 1, TOKENS, IN);
      Tensor first = normal(random, 0.15, wide, IN);
      Tensor bias = normal(random, 0.5, wide);
      Tensor second = normal(random, 0.15, OUT, narrow);
      Tensor dy = normal(random, 1, TOKENS, OUT);
      Tensor packedFirst = Packing.pack(first, Storage.of(dtype));
      Tensor packedSecond = Packing.pack(second, Storage.of(dtype));
      try (Tape tape = Tape.record(in, first, bias, second)) {
        Tensor x = Matmul.linear(in, packedFirst, first, bias, Activation.NONE, dtype);
        Tensor y =
            Matmul.linear(between.of(x), packedSecond, second, null, Activation.NONE, DType.F32);
        try (Gradients gradients = tape.backward(y, dy, new Gradients())) {
          return new float[][] {
            gradients.of(in).toFloatArray(),
            gradients.of(first).toFloatArray(),
            gradients.of(bias).toFloatArray(),
            gradients.of(second).toFloatArray()
          };
        }
      }
    }
  }

  private static Tensor normal(Random random, double size, long... shape) {
    int count = 1;
    for (long length : shape) {
      count *= (int) length;
    }
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) (size * random.nextGaussian());
    }
    return Tensor.of(CPU, x, shape);
  }
}
