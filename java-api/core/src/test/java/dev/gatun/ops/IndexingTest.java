package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class IndexingTest {
  private static final Device CPU = Device.cpu();

  private static Ids ids(long... ids) {
    return Ids.unchecked(Tensor.of(CPU, ids, ids.length));
  }

  @Test
  void axes_change_places() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(CPU, new long[] {1, 2, 3, 4, 5, 6}, 1, 2, 3);
      Tensor turned = Layouts.permute(x, 2, 0, -2);
      assertArrayEquals(new long[] {3, 1, 2}, turned.shape());
      assertArrayEquals(new long[] {1, 4, 2, 5, 3, 6}, turned.toLongArray());
      assertArrayEquals(new long[] {1, 4, 2, 5, 3, 6}, Layouts.transpose(x, 1, -1).toLongArray());
      assertArrayEquals(
          new long[] {2, 3, 5, 6}, Layouts.contiguous(x.slice(2, 1, 3)).toLongArray());
      assertEquals(
          "permute: axes [0, 1, 1], expected each axis of I64[1, 2, 3]@cpu once",
          assertThrows(IllegalArgumentException.class, () -> Layouts.permute(x, 0, 1, 1))
              .getMessage());
    }
  }

  @Test
  void entries_of_an_axis_are_taken_by_index() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(CPU, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      Tensor columns = Indexing.indexSelect(x, -1, ids(2, 0, 2, 1));
      assertArrayEquals(new long[] {2, 4}, columns.shape());
      assertArrayEquals(new float[] {3, 1, 3, 2, 6, 4, 6, 5}, columns.toFloatArray());
      assertArrayEquals(new float[] {4, 5, 6}, Indexing.indexSelect(x, 0, ids(1)).toFloatArray());
      assertEquals(
          "index_select: id 3 at 1 is outside of 0 to 2",
          assertThrows(IllegalArgumentException.class, () -> Indexing.indexSelect(x, 1, ids(0, 3)))
              .getMessage());
    }
  }

  @Test
  void rows_are_added_by_index() {
    try (Scope _ = Scope.open()) {
      Tensor y = Tensor.zeros(CPU, 3, 2);
      Tensor x = Tensor.of(CPU, new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
      assertArrayEquals(
          new float[] {0, 0, 3, 4, 6, 8}, Indexing.indexAdd(y, ids(2, 1, 2), x).toFloatArray());
    }
  }
}
