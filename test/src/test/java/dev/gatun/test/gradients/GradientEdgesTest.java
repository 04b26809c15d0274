package dev.gatun.test.gradients;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients of numbers that are far apart or not finite, and of more elements than F32 counts. */
final class GradientEdgesTest {
  private static final Device CPU = Device.cpu();

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static float[] gradient(Tensor x, UnaryOperator<Tensor> op, float... ofResult) {
    try (Tape tape = Tape.record(x)) {
      Tensor y = op.apply(x);
      Tensor dy = Tensor.of(CPU, ofResult, y.shape());
      try (Gradients gradients = tape.backward(y, dy, new Gradients())) {
        return gradients.of(x).toFloatArray();
      }
    }
  }

  /** An element's gradient is the sum of those behind it, whatever those before it are. */
  @Test
  void sums_up_to_each_place() {
    Tensor x = Tensor.zeros(CPU, 4);
    UnaryOperator<Tensor> op = in -> Reductions.cumsum(in, 0);
    assertArrayEquals(new float[] {100_000_006f, 6, 5, 3}, gradient(x, op, 1e8f, 1, 2, 3));
    assertArrayEquals(new float[] {Float.NaN, 6, 5, 3}, gradient(x, op, Float.NaN, 1, 2, 3));
    float inf = Float.POSITIVE_INFINITY;
    assertArrayEquals(new float[] {inf, inf, 5, 3}, gradient(x, op, 1, inf, 2, 3));
    assertArrayEquals(
        new float[0],
        gradient(Tensor.zeros(CPU, 0, 3), in -> Reductions.cumsum(in, 1), new float[0]));
  }

  @Test
  void the_largest_of_more_elements_than_f32_counts() {
    int columns = 9_000_001;
    float[] x = new float[2 * columns];
    int last = 2 * columns - 1;
    x[last] = 1;
    float[] dx =
        gradient(Tensor.of(CPU, x, 2, columns), in -> Reductions.topk(in, 1).values(), 2, 3);
    assertEquals(2, dx[0]);
    assertEquals(3, dx[last]);
    dx[0] = 0;
    dx[last] = 0;
    for (float each : dx) {
      assertEquals(0, each);
    }
  }

  @Test
  void relative_scores_of_more_places_than_f32_counts() {
    int tokens = 8_201;
    int span = 1_024;
    int[] lengths = new int[tokens];
    long[] positions = new long[tokens];
    float[] dy = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      lengths[i] = 1;
      dy[i] = i + 1;
    }
    Segments segments = Segments.of(CPU, lengths);
    Tensor at = Tensor.of(CPU, positions, tokens);
    float[] dx =
        gradient(
            Tensor.zeros(CPU, 1, tokens, 2 * span),
            c2p -> Attention.disentangledBias(c2p, null, segments, at, span, 0, 0, 2),
            dy);
    // A token's distance to itself is 0, which stands in the middle.
    for (int i = 0; i < dx.length; i++) {
      assertEquals(i % (2 * span) == span ? 2 * (i / (2 * span) + 1) : 0, dx[i]);
    }
  }

  @Test
  void an_infinity_stays_in_its_sequence() {
    float inf = Float.POSITIVE_INFINITY;
    Tensor x = Tensor.of(CPU, new float[] {inf, 1, 2, 4, -inf, 3, 3}, 7, 1);
    Segments segments = Segments.of(CPU, 2, 0, 2, 3);
    assertArrayEquals(
        new float[] {5, 0, 0, 6, 0, 3.5f, 3.5f},
        gradient(x, in -> Reductions.pool(in, segments, PoolingMode.MAX), 5, 9, 6, 7));
  }
}
