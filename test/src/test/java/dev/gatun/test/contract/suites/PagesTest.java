package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Lengths;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Block tables whose entries are no pages: an error where the page is used, nothing elsewhere. */
final class PagesTest {
  private static final int PAGES = 3;
  private static final int SIZE = 4;

  private enum Subject {
    REFERENCE,
    CPU,
    CUDA;

    Backend backend() {
      return switch (this) {
        case REFERENCE -> Subjects.EXACT;
        case CPU -> Subjects.CPU;
        case CUDA -> Emulator.open();
      };
    }
  }

  /** Two sequences of a head of one element, all numbers 1: the output of each. */
  private static float[] run(Backend backend, int pageSize, int[] lengths, int... table) {
    return run(backend, PAGES, pageSize, lengths, table);
  }

  private static float[] run(
      Backend backend, int count, int pageSize, int[] lengths, int... table) {
    float[] ones = new float[PAGES * SIZE];
    Arrays.fill(ones, 1);
    float[] result = new float[lengths.length];
    try (Buffer query = of(backend, MemorySegment.ofArray(result.clone()));
        Buffer keys = of(backend, MemorySegment.ofArray(ones));
        Buffer pages = of(backend, MemorySegment.ofArray(table));
        Buffer inUse = of(backend, MemorySegment.ofArray(lengths));
        Buffer output = of(backend, MemorySegment.ofArray(result.clone()))) {
      Operand cache = Operand.of(keys, DType.F32, count, pageSize, 1, 1);
      Operand blocks = Operand.of(pages, DType.I32, lengths.length, table.length / lengths.length);
      backend
          .kernels()
          .run(
              new ScaledDotProductAttention(
                  Operand.of(query, DType.F32, lengths.length, 1, 1, 1),
                  cache,
                  cache,
                  Operand.of(output, DType.F32, lengths.length, 1, 1, 1),
                  null,
                  AttentionKeys.paged(
                      Indices.unchecked(blocks),
                      new Lengths(
                          Operand.of(inUse, DType.I32, lengths.length),
                          Arrays.stream(lengths).max().orElse(0))),
                  AttentionScores.scaled(1),
                  AttentionMask.NONE,
                  Dropout.NONE,
                  null,
                  null));
      backend.memory().read(output, 0, MemorySegment.ofArray(result));
    }
    return result;
  }

  private static Buffer of(Backend backend, MemorySegment values) {
    Buffer buffer = backend.memory().allocate(values.byteSize());
    backend.memory().write(values, buffer, 0);
    return buffer;
  }

  @ParameterizedTest
  @EnumSource
  void entries_behind_the_last_page_may_be_anything(Subject subject) {
    int[] lengths = {5, 4};
    assertArrayEquals(
        new float[] {1, 1}, run(subject.backend(), SIZE, lengths, 2, 0, -77, 1, PAGES, -1));
  }

  @ParameterizedTest
  @EnumSource
  void the_last_page_is_one_however_few_of_its_tokens_are_used(Subject subject) {
    for (int bad : new int[] {PAGES, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      for (int length : new int[] {5, 7, 8}) {
        String message =
            assertThrows(
                    IllegalArgumentException.class,
                    () -> run(subject.backend(), SIZE, new int[] {4, length}, 0, -1, 1, bad))
                .getMessage();
        assertEquals(
            "scaled_dot_product_attention: page %d at 1 of sequence 1 is outside of 0 to 2"
                .formatted(bad),
            message);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void pages_without_tokens_hold_none(Subject subject) {
    assertArrayEquals(new float[] {0, 0}, run(subject.backend(), 0, new int[] {0, 0}, 5, -1));
  }

  @ParameterizedTest
  @EnumSource
  void a_cache_without_pages_has_room_for_no_keys(Subject subject) {
    assertArrayEquals(new float[] {0, 0}, run(subject.backend(), 0, SIZE, new int[] {0, 0}, 5, -1));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> run(subject.backend(), 0, SIZE, new int[] {0, 3}, 5, 0))
            .getMessage();
    assertEquals(
        "scaled_dot_product_attention: the cache has no page, and a sequence has 3 keys", message);
  }
}
