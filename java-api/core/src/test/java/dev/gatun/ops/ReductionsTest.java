package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ReductionsTest {
  private static final Device CPU = Device.cpu();

  private long before;
  private Scope scope;

  @BeforeEach
  void open() {
    before = CPU.memory().allocatedBytes();
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  /** 0 to 23 as [2, 3, 4]. */
  private static Tensor counted() {
    float[] elements = new float[24];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = i;
    }
    return Tensor.of(CPU, elements, 2, 3, 4);
  }

  @Test
  void any_axes_are_reduced() {
    is(Reductions.sum(counted()), new long[] {}, 276);
    is(Reductions.sum(counted(), 0, 1, 2), new long[] {}, 276);
    is(Reductions.sum(counted(), 0, 1), new long[] {4}, 60, 66, 72, 78);
    is(Reductions.sum(counted(), -1), new long[] {2, 3}, 6, 22, 38, 54, 70, 86);
    is(Reductions.mean(counted(), 1), new long[] {2, 4}, 4, 5, 6, 7, 16, 17, 18, 19);
    is(Reductions.max(counted(), 2, 0), new long[] {3}, 15, 19, 23);
    is(Reductions.min(counted(), 0, -1), new long[] {3}, 0, 4, 8);
  }

  @Test
  void views_are_reduced_as_they_are() {
    Tensor turned = Layouts.permuted(counted(), 2, 0, 1);
    is(Reductions.sum(turned, 1, 2), new long[] {4}, 60, 66, 72, 78);
    is(Reductions.sum(turned, 0), new long[] {2, 3}, 6, 22, 38, 54, 70, 86);
    is(Reductions.max(turned, 0, 2), new long[] {2}, 11, 23);
    is(Reductions.sum(counted().slice(1, 1, 2), 0, 2), new long[] {1}, 88 + 4);
  }

  @Test
  void the_sum_of_nothing_is_0_and_its_mean_an_error() {
    Tensor none = Tensor.zeros(CPU, 2, 0);
    is(Reductions.sum(none, 1), new long[] {2}, 0, 0);
    assertEquals(
        "reduce: x is F32[2, 0, 1], there is no MEAN of nothing",
        assertThrows(IllegalArgumentException.class, () -> Reductions.mean(none, 1)).getMessage());
  }

  @Test
  void axes_that_are_not_there_are_named() {
    assertEquals(
        "reduce: F32[2, 3, 4]@cpu has no axis 3",
        assertThrows(IllegalArgumentException.class, () -> Reductions.sum(counted(), 3))
            .getMessage());
    assertEquals(
        "reduce: axes [1, -2] of F32[2, 3, 4]@cpu name one twice",
        assertThrows(IllegalArgumentException.class, () -> Reductions.sum(counted(), 1, -2))
            .getMessage());
  }

  @Test
  void the_largest_are_found_along_the_last_axis() {
    Tensor x = Tensor.of(CPU, new float[] {3, 7, 7, 1, 2, Float.NaN, 9, 9}, 2, 1, 4);
    assertArrayEquals(new long[] {1, 1}, Reductions.argmax(x).toLongArray());
    assertArrayEquals(new long[] {2, 1}, Reductions.argmax(x).shape());
    Reductions.TopK top = Reductions.topk(x, 3);
    is(top.values(), new long[] {2, 1, 3}, 7, 7, 3, Float.NaN, 9, 9);
    assertArrayEquals(new long[] {1, 2, 0, 1, 2, 3}, top.indices().toLongArray());
    assertEquals(
        "topk: k is 5, expected 0 to the columns of x F32[2, 4]",
        assertThrows(IllegalArgumentException.class, () -> Reductions.topk(x, 5)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> Reductions.topk(x, -1));
  }

  private static void is(Tensor got, long[] shape, float... elements) {
    assertArrayEquals(shape, got.shape());
    assertArrayEquals(elements, got.toFloatArray());
  }
}
