package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class ElementwiseTest {
  private static final Device CPU = Device.cpu();

  @Test
  void operands_are_broadcast_to_each_other() {
    try (Scope _ = Scope.open()) {
      Tensor column = Tensor.of(CPU, new float[] {1, 2}, 2, 1);
      Tensor row = Tensor.of(CPU, new float[] {10, 20, 40}, 3);
      is(Elementwise.add(column, row), new long[] {2, 3}, 11, 21, 41, 12, 22, 42);
      is(Elementwise.subtract(row, column), new long[] {2, 3}, 9, 19, 39, 8, 18, 38);
      is(Elementwise.multiply(column, row), new long[] {2, 3}, 10, 20, 40, 20, 40, 80);
      is(Elementwise.divide(row, column), new long[] {2, 3}, 10, 20, 40, 5, 10, 20);
    }
  }

  @Test
  void a_scalar_is_repeated_and_nan_stays() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(CPU, new float[] {-1, Float.NaN, 5}, 3);
      Tensor two = Tensor.of(CPU, new float[] {2});
      is(Elementwise.maximum(x, two), new long[] {3}, 2, Float.NaN, 5);
      is(Elementwise.minimum(two, x), new long[] {3}, -1, Float.NaN, 2);
    }
  }

  @Test
  void views_need_no_copy() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(CPU, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      Tensor turned = x.strided(0, new long[] {3, 2}, new long[] {1, 3});
      is(Elementwise.add(turned, turned), new long[] {3, 2}, 2, 8, 4, 10, 6, 12);
    }
  }

  private static void is(Tensor got, long[] shape, float... elements) {
    assertArrayEquals(shape, got.shape());
    assertArrayEquals(elements, got.toFloatArray());
  }
}
