package dev.gatun.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.cuda.Declarations.Clipping;
import dev.gatun.kernels.cuda.Declarations.IndexReport;
import dev.gatun.kernels.cuda.Declarations.Range;
import dev.gatun.kernels.cuda.Declarations.RangeList;
import dev.gatun.kernels.cuda.Struct.AddressField;
import dev.gatun.kernels.cuda.Struct.FloatField;
import dev.gatun.kernels.cuda.Struct.IntField;
import dev.gatun.kernels.cuda.Struct.LongField;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Arguments lie as C++ lays them out, and a structure of them is complete. */
final class ArgumentsTest {
  // struct Mixed { int one; void* pointers[2]; float two; long three; int last; };
  private static final Struct MIXED = new Struct("Mixed");
  private static final IntField ONE = MIXED.integer("one", 1);
  private static final AddressField POINTERS = MIXED.address("pointers", 2);
  private static final FloatField TWO = MIXED.real("two", 1);
  private static final LongField THREE = MIXED.number("three", 1);
  private static final IntField LAST = MIXED.integer("last", 1);

  @SuppressWarnings("restricted")
  private static MemorySegment argument(Arguments arguments, int i, int bytes) {
    return arguments.pointers().getAtIndex(ValueLayout.ADDRESS, i).reinterpret(bytes);
  }

  @Test
  void fields_lie_where_cpp_has_them() {
    assertEquals(
        List.of(0, 8, 24, 32, 40),
        List.of(ONE.offset, POINTERS.offset, TWO.offset, THREE.offset, LAST.offset));
    assertEquals(48, MIXED.bytes());
    Arguments arguments =
        new Arguments()
            .integer(1)
            .begin(MIXED)
            .set(LAST, true)
            .set(THREE, 33)
            .set(TWO, 2.5f)
            .set(POINTERS, 1, 11)
            .set(POINTERS, 10)
            .set(ONE, 7)
            .end()
            .number(5);
    MemorySegment mixed = argument(arguments, 1, 48);
    assertEquals(7, mixed.get(ValueLayout.JAVA_INT, 0));
    assertEquals(10, mixed.get(ValueLayout.JAVA_LONG, 8));
    assertEquals(11, mixed.get(ValueLayout.JAVA_LONG, 16));
    assertEquals(2.5f, mixed.get(ValueLayout.JAVA_FLOAT, 24));
    assertEquals(33, mixed.get(ValueLayout.JAVA_LONG, 32));
    assertEquals(1, mixed.get(ValueLayout.JAVA_INT, 40));
    assertEquals(5, argument(arguments, 2, 8).get(ValueLayout.JAVA_LONG, 0));
    assertEquals("i{Mixed}l", arguments.letters().toString());
    assertEquals(List.of(4, 48, 8), arguments.sizes());
  }

  @Test
  void arguments_that_are_taken_over_are_the_same_elsewhere() {
    Arguments first =
        new Arguments()
            .integer(1)
            .begin(IndexReport.STRUCT)
            .set(IndexReport.FAULT, 3)
            .set(IndexReport.SITE, 4)
            .end();
    Arguments second = new Arguments().copy(first).real(5);
    assertEquals("i{IndexReport}f", second.letters().toString());
    assertEquals(List.of(4, 16, 4), second.sizes());
    MemorySegment report = argument(second, 1, 16);
    assertTrue(report.address() != argument(first, 1, 16).address());
    assertEquals(3, report.get(ValueLayout.JAVA_LONG, 0));
    assertEquals(4, report.get(ValueLayout.JAVA_INT, 8));
  }

  @Test
  void a_list_has_zeros_past_its_items() {
    Arguments arguments = new Arguments();
    ranges(arguments, 128).clear();
    ranges(arguments, 2);
    MemorySegment list = argument(arguments, 0, RangeList.STRUCT.bytes());
    assertEquals(128, RangeList.STRUCT.items());
    assertEquals(128 * 24, list.byteSize());
    long[] expected = new long[128 * 3];
    System.arraycopy(new long[] {10, 20, 30, 11, 21, 31}, 0, expected, 0, 6);
    assertEquals(
        -1, MemorySegment.ofArray(expected).mismatch(list), "the first byte that is another");
  }

  private static Arguments ranges(Arguments arguments, int count) {
    arguments.begin(RangeList.STRUCT);
    for (int i = 0; i < count; i++) {
      arguments
          .item()
          .set(Range.ELEMENTS, 10 + i)
          .set(Range.COUNT, 20 + i)
          .set(Range.FIRST, 30 + i);
    }
    return arguments.end();
  }

  @Test
  void a_field_that_is_not_set_is_named() {
    Arguments arguments =
        new Arguments().begin(Clipping.STRUCT).set(Clipping.SCALE, 1).set(Clipping.NORM, 0);
    assertMessage("Clipping.max_norm is not set, expected all of its fields to be", arguments::end);
    Arguments mixed =
        new Arguments()
            .begin(MIXED)
            .set(ONE, 1)
            .set(POINTERS, 0, 1)
            .set(TWO, 1)
            .set(THREE, 1)
            .set(LAST, 1);
    assertMessage("Mixed.pointers[1] is not set, expected all of its fields to be", mixed::end);
    Arguments list =
        new Arguments().begin(RangeList.STRUCT).item().set(Range.ELEMENTS, 1).set(Range.FIRST, 0);
    assertMessage("Range.count is not set, expected all of its fields to be", list::item);
    assertMessage("Range.count is not set, expected all of its fields to be", list::end);
  }

  @Test
  void a_field_of_another_structure_is_refused() {
    Arguments arguments = new Arguments().begin(Clipping.STRUCT);
    assertMessage(
        "IndexReport.site[0] is no field of Clipping", () -> arguments.set(IndexReport.SITE, 1));
    assertMessage("Mixed.pointers[2] is no field of Mixed", () -> pointer(2));
    assertMessage("Mixed.pointers[-1] is no field of Mixed", () -> pointer(-1));
    assertMessage(
        "Mixed.one[0] is no field of nothing", () -> new Arguments().integer(1).set(ONE, 1));
    assertMessage(
        "Range.first[0] is no field of nothing",
        () -> new Arguments().begin(RangeList.STRUCT).set(Range.FIRST, 1));
  }

  private static void pointer(int i) {
    new Arguments().begin(MIXED).set(POINTERS, i, 1);
  }

  @Test
  void a_list_takes_no_more_than_it_has_room_for() {
    Struct pair = new Struct("Pair", Range.STRUCT, 2);
    Arguments arguments = new Arguments().begin(pair);
    for (int i = 0; i < 2; i++) {
      arguments.item().set(Range.ELEMENTS, 1).set(Range.COUNT, 1).set(Range.FIRST, 1);
    }
    assertMessage("Pair has room for 2 items", arguments::item);
  }

  @Test
  void a_structure_has_up_to_64_numbers() {
    Struct full = new Struct("Full");
    LongField all = full.number("all", 64);
    Arguments arguments = new Arguments().begin(full);
    for (int i = 0; i < 63; i++) {
      arguments.set(all, i, i);
    }
    assertMessage("Full.all[63] is not set, expected all of its fields to be", arguments::end);
    arguments.set(all, 63, 63).end();
    assertThrows(IllegalArgumentException.class, () -> full.integer("more", 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Struct("List", Range.STRUCT, 2).integer("more", 1));
  }

  private static void assertMessage(String message, Runnable run) {
    assertEquals(message, assertThrows(IllegalStateException.class, run::run).getMessage());
  }
}
