package dev.gatun.kernels.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The oracle's memory, and elements of every type in it. */
final class MemoryTest {
  private final Memory memory = new ReferenceBackend(Precision.F64).memory();

  private View view(Object array, DType dtype, long count) {
    MemorySegment values =
        switch (array) {
          case byte[] bytes -> MemorySegment.ofArray(bytes);
          case short[] shorts -> MemorySegment.ofArray(shorts);
          case int[] ints -> MemorySegment.ofArray(ints);
          case long[] longs -> MemorySegment.ofArray(longs);
          case float[] floats -> MemorySegment.ofArray(floats);
          default -> MemorySegment.ofArray((double[]) array);
        };
    return View.of(Operand.of(memory.adopt(values), dtype, count));
  }

  @Test
  void elements_of_every_type_are_read_as_numbers() {
    assertArrayEquals(new double[] {0.1, -2}, view(new double[] {0.1, -2}, DType.F64, 2).row(0, 2));
    assertArrayEquals(new double[] {0.5, -2}, view(new float[] {0.5f, -2}, DType.F32, 2).row(0, 2));
    short[] halves = {0x3800, (short) 0xc000};
    assertArrayEquals(new double[] {0.5, -2}, view(halves, DType.F16, 2).row(0, 2));
    short[] bf16 = {0x3f00, (short) 0xc000};
    assertArrayEquals(new double[] {0.5, -2}, view(bf16, DType.BF16, 2).row(0, 2));
    assertArrayEquals(new double[] {5, -2}, view(new long[] {5, -2}, DType.I64, 2).row(0, 2));
    assertArrayEquals(new double[] {5, -2}, view(new int[] {5, -2}, DType.I32, 2).row(0, 2));
    assertArrayEquals(new double[] {5, -2}, view(new short[] {5, -2}, DType.I16, 2).row(0, 2));
    assertArrayEquals(new double[] {5, -2}, view(new byte[] {5, -2}, DType.I8, 2).row(0, 2));
    assertArrayEquals(new double[] {5, 254}, view(new byte[] {5, -2}, DType.U8, 2).row(0, 2));
    assertArrayEquals(new double[] {1, 0}, view(new byte[] {1, 0}, DType.BOOL, 2).row(0, 2));
  }

  @Test
  void elements_of_every_type_are_set_to_the_nearest_number() {
    double[] doubles = new double[1];
    view(doubles, DType.F64, 1).setRounded(0, 0.1);
    assertEquals(0.1, doubles[0]);
    float[] floats = new float[1];
    view(floats, DType.F32, 1).setRounded(0, 0.1);
    assertEquals(0.1f, floats[0]);
    short[] shorts = new short[1];
    view(shorts, DType.F16, 1).setRounded(0, -2);
    assertEquals((short) 0xc000, shorts[0]);
    view(shorts, DType.BF16, 1).setRounded(0, 0.5);
    assertEquals(0x3f00, shorts[0]);
    long[] longs = new long[1];
    view(longs, DType.I64, 1).setRounded(0, 2.5);
    assertEquals(2, longs[0]);
    int[] ints = new int[1];
    view(ints, DType.I32, 1).setRounded(0, 3.5);
    assertEquals(4, ints[0]);
    byte[] bytes = new byte[1];
    for (int[] pair : new int[][] {{-300, -128}, {300, 127}, {-5, -5}}) {
      view(bytes, DType.I8, 1).setRounded(0, pair[0]);
      assertEquals(pair[1], bytes[0]);
    }
    for (int[] pair : new int[][] {{-300, 0}, {300, 255}, {200, 200}}) {
      view(bytes, DType.U8, 1).setRounded(0, pair[0]);
      assertEquals(pair[1], bytes[0] & 0xff);
    }
  }

  @Test
  void whole_numbers_wrap() {
    int[] ints = new int[1];
    view(ints, DType.I32, 1).setWrapped(0, (1L << 32) + 5);
    assertEquals(5, ints[0]);
    byte[] bytes = new byte[1];
    view(bytes, DType.U8, 1).setWrapped(0, 258);
    assertEquals(2, bytes[0]);
    view(bytes, DType.I8, 1).setWrapped(0, 129);
    assertEquals(-127, bytes[0]);
    long[] longs = new long[1];
    view(longs, DType.I64, 1).setWrapped(0, Long.MIN_VALUE);
    assertEquals(Long.MIN_VALUE, longs[0]);
  }

  private static void refused(String message, Runnable set) {
    assertEquals(message, assertThrows(IllegalStateException.class, set::run).getMessage());
  }

  @Test
  void types_that_no_kernel_has_there_are_named() {
    View floats = view(new float[1], DType.F32, 1);
    View shorts = view(new short[1], DType.I16, 1);
    View longs = view(new long[1], DType.I64, 1);
    refused("F32 is no integer type", () -> floats.getLong(0));
    refused("no kernel writes I64", () -> longs.set(0, 1));
    refused("no kernel writes I16", () -> shorts.setRounded(0, 1));
    refused("no kernel writes whole numbers as I16", () -> shorts.setLong(0, 1));
  }

  @Test
  void a_negative_size_is_named() {
    assertEquals(
        "allocate: -1 bytes, must not be negative",
        assertThrows(IllegalArgumentException.class, () -> memory.allocate(-1)).getMessage());
  }

  @Test
  void what_is_adopted_is_copied_where_doubles_are_kept() {
    float[] source = {0.5f, -2};
    float[] read = new float[2];
    assertTrue(memory.adoptsInPlace());
    Buffer same = memory.adopt(MemorySegment.ofArray(source));
    Memory doubles = ReferenceBackend.ofDoubles().memory();
    assertFalse(doubles.adoptsInPlace());
    Buffer copy = doubles.adopt(MemorySegment.ofArray(source));
    source[0] = 3;
    memory.read(same, 0, MemorySegment.ofArray(read));
    assertArrayEquals(new float[] {3, -2}, read);
    doubles.read(copy, 0, MemorySegment.ofArray(read));
    assertArrayEquals(new float[] {0.5f, -2}, read);
    assertArrayEquals(
        new double[] {0.5, -2}, ReferenceBackend.elements(Operand.of(copy, DType.F32, 2)));
    assertEquals(8, doubles.allocatedBytes());
    copy.close();
    assertEquals(0, doubles.allocatedBytes());
  }

  @Test
  void an_order_of_sums_that_is_none_is_named() {
    for (int stride : new int[] {0, -2, Integer.MIN_VALUE}) {
      assertEquals(
          "stride %d, expected -1 or at least 1".formatted(stride),
          assertThrows(IllegalArgumentException.class, () -> Precision.F32.withStride(stride))
              .getMessage());
    }
  }
}
