package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The checks of {@code gatun_cpu.h} on every level: what is right passes, what is wrong does not.
 */
final class NativeChecksTest {
  private static final MemorySegment NONE = MemorySegment.NULL;

  private Arena arena;

  static Stream<CpuLevel> levels() {
    return Subjects.levels().stream();
  }

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  @BeforeEach
  void open() {
    arena = Arena.ofConfined();
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @MethodSource("levels")
  void ids_are_inside_or_the_exception(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    passes(indices(3, null, 0, 2));
    passes(indices(3, -1L, 0, -1, 2));
    fails(indices(3, null, 0, -1));
    fails(indices(3, null, 3));
    fails(indices(3, -1L, 0, -2));
    fails(indices(3, -1L, 3));
  }

  private int indices(long limit, Long exception, long... ids) {
    return gatun_cpu_h.gatun_check_indices(
        NONE,
        longs(ids),
        ids.length,
        limit,
        exception == null ? 0 : 1,
        exception == null ? 0 : exception);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void places_are_inside(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    passes(gatun_cpu_h.gatun_check_places(NONE, ints(-1, 0, 2), 3, -1, 3));
    fails(gatun_cpu_h.gatun_check_places(NONE, ints(0, -2), 2, -1, 3));
    fails(gatun_cpu_h.gatun_check_places(NONE, ints(0, 3), 2, -1, 3));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void ids_are_distinct_but_for_the_exception(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    passes(distinct(5, -1, 7, -1));
    fails(distinct(5, 7, 5));
    fails(distinct(5, 5, 7));
    passes(distinct(LongStream.range(0, 1000).toArray()));
    fails(distinct(LongStream.concat(LongStream.range(0, 1000), LongStream.of(613)).toArray()));
    // These share a place in a table of 16.
    long[] crowded = LongStream.range(0, 1 << 12).filter(id -> place(id) == place(1)).toArray();
    passes(distinct(crowded[0], crowded[1], crowded[2]));
    fails(distinct(crowded[0], crowded[1], crowded[2], crowded[1]));
  }

  private static long place(long id) {
    long mixed = id * 0x9e3779b97f4a7c15L;
    return (mixed ^ mixed >>> 32) & 15;
  }

  private int distinct(long... ids) {
    return gatun_cpu_h.gatun_check_distinct(NONE, longs(ids), ids.length, -1);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void offsets_rise_to_the_last_token(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    passes(offsets(3, 2, true, 0, 2, 3));
    passes(offsets(4, 2, false, 0, 2, 3));
    fails(offsets(4, 2, true, 0, 2, 3));
    fails(offsets(3, 2, true, 1, 2, 3));
    fails(offsets(3, 2, true, 0, 2, 1));
    fails(offsets(3, 1, true, 0, 2, 3));
    fails(offsets(2, 2, false, 0, 2, 3));
  }

  private int offsets(long tokens, long longest, boolean all, int... offsets) {
    return gatun_cpu_h.gatun_check_offsets(
        NONE, ints(offsets), offsets.length - 1, tokens, longest, all ? 1 : 0);
  }

  @ParameterizedTest
  @MethodSource("levels")
  void pages_in_use_are_there(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    MemorySegment lengths = ints(3, 1);
    passes(gatun_cpu_h.gatun_check_pages(NONE, ints(0, 1, 2, 99), 2, lengths, 2, 2, 3));
    fails(gatun_cpu_h.gatun_check_pages(NONE, ints(0, 3, 2, 99), 2, lengths, 2, 2, 3));
    fails(gatun_cpu_h.gatun_check_pages(NONE, ints(0, 1, -1, 99), 2, lengths, 2, 2, 3));
  }

  @ParameterizedTest
  @MethodSource("levels")
  void rows_of_groups_are_there(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    passes(gatun_cpu_h.gatun_check_groups(NONE, ints(0, 1, 2), 2, 2, NONE, 5));
    passes(gatun_cpu_h.gatun_check_groups(NONE, ints(0, 1, 2), 2, 2, ints(4, 0), 5));
    fails(gatun_cpu_h.gatun_check_groups(NONE, ints(0, 1, 2), 2, 2, ints(4, 5), 5));
    fails(gatun_cpu_h.gatun_check_groups(NONE, ints(0, 3, 2), 2, 2, NONE, 5));
  }

  private static void passes(int status) {
    assertEquals(gatun_cpu_h.GATUN_OK(), status);
  }

  private static void fails(int status) {
    assertEquals(gatun_cpu_h.GATUN_OUT_OF_RANGE(), status);
  }

  private MemorySegment ints(int... values) {
    return arena.allocateFrom(ValueLayout.JAVA_INT, values);
  }

  private MemorySegment longs(long... values) {
    return arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }
}
