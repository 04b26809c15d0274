package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
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
}
