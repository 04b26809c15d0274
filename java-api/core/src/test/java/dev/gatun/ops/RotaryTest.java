package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class RotaryTest {
  private static final Device CPU = Device.cpu();

  private static Tensor floats(float[] values, long... shape) {
    return Tensor.of(CPU, values, shape);
  }

  private static Ids ids(long... ids) {
    return Ids.unchecked(Tensor.of(CPU, ids, ids.length));
  }

  /** Two query heads and one of keys and values, of size 2; position 1 is a quarter turn. */
  private static Tensor update(Ids slots, Tensor keyCache, Tensor valueCache) {
    Tensor qkv =
        floats(
            new float[] {
              1, 2, 3, 4, 5, 6, 7, 8,
              11, 12, 13, 14, 15, 16, 17, 18,
              21, 22, 23, 24, 25, 26, 27, 28
            },
            3,
            8);
    Tensor cosine = floats(new float[] {1, 0}, 2, 1);
    Tensor sine = floats(new float[] {0, 1}, 2, 1);
    return Rotary.rotaryCacheUpdate(
        qkv, cosine, sine, ids(0, 1, 1), false, slots, keyCache, valueCache, null);
  }

  @Test
  void keys_and_values_go_to_their_pages() {
    try (Scope _ = Scope.open()) {
      Tensor keys = Tensor.zeros(CPU, 2, 2, 1, 2);
      Tensor values = Tensor.zeros(CPU, 2, 2, 1, 2);
      Tensor query = update(ids(3, 0, -1), keys, values);
      assertArrayEquals(new long[] {3, 2, 2}, query.shape());
      assertArrayEquals(
          new float[] {1, 2, 3, 4, -12, 11, -14, 13, -22, 21, -24, 23}, query.toFloatArray());
      assertArrayEquals(new float[] {-16, 15, 0, 0, 0, 0, 5, 6}, keys.toFloatArray());
      assertArrayEquals(new float[] {17, 18, 0, 0, 0, 0, 7, 8}, values.toFloatArray());
    }
  }

  @Test
  void a_slot_of_two_tokens_is_refused_before_anything_is_written() {
    try (Scope _ = Scope.open()) {
      Tensor keys = Tensor.zeros(CPU, 2, 2, 1, 2);
      Tensor values = Tensor.zeros(CPU, 2, 2, 1, 2);
      assertEquals(
          "rotary_cache_update: slot 3 at 2 is also at 0, expected distinct ones",
          assertThrows(IllegalArgumentException.class, () -> update(ids(3, 0, 3), keys, values))
              .getMessage());
      assertEquals(
          "rotary_cache_update: slot 4 at 1 is outside of 0 to 3",
          assertThrows(IllegalArgumentException.class, () -> update(ids(3, 4, -1), keys, values))
              .getMessage());
      assertArrayEquals(new float[8], keys.toFloatArray());
      assertArrayEquals(new float[8], values.toFloatArray());
    }
  }
}
