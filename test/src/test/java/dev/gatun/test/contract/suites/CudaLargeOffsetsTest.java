package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operands of more than 2^31 elements on CUDA: what lies beyond is found there. */
@Tag("full")
final class CudaLargeOffsetsTest {
  private static final long COLUMNS = 1 << 10;
  private static final long ROWS = (1L << 31) / COLUMNS + 64;
  private static final long PAGE = 16;
  private static final long HEAD = 64;
  private static final short THREE = 0x4040; // of bf16

  private static Backend cuda;
  private static Buffer large;
  private static Buffer row;
  private static Buffer id;

  @BeforeAll
  static void allocate() {
    Subjects.assumeBackend("cuda");
    cuda = Emulator.open();
    large = cuda.memory().allocate(ROWS * COLUMNS * 2);
    row = of(filled(COLUMNS, (short) 0));
    id = of(MemorySegment.ofArray(new long[] {ROWS - 1}));
  }

  @AfterAll
  static void close() {
    if (large == null) {
      return;
    }
    id.close();
    row.close();
    large.close();
  }

  private static MemorySegment filled(long count, short value) {
    short[] values = new short[(int) count];
    Arrays.fill(values, value);
    return MemorySegment.ofArray(values);
  }

  private static Buffer of(MemorySegment values) {
    Buffer buffer = cuda.memory().allocate(values.byteSize());
    cuda.memory().write(values, buffer, 0);
    return buffer;
  }

  private static void putLastRow() {
    cuda.memory().write(filled(COLUMNS, THREE), large, (ROWS - 1) * COLUMNS * 2);
    cuda.memory().write(filled(COLUMNS, (short) 0), row, 0);
  }

  private static void assertThree(Buffer buffer, long offset, long count) {
    short[] found = new short[(int) count];
    cuda.memory().read(buffer, offset, MemorySegment.ofArray(found));
    for (short each : found) {
      assertEquals(THREE, each);
    }
  }

  private static Operand ids() {
    return Operand.of(id, DType.I64, 1);
  }

  @Test
  void rows_are_looked_up() {
    putLastRow();
    Operand table = Operand.of(large, DType.BF16, ROWS, COLUMNS);
    Operand out = Operand.of(row, DType.BF16, 1, COLUMNS);
    cuda.kernels().run(new Embedding(table, Indices.unchecked(ids()), false, out));
    assertThree(row, 0, COLUMNS);
  }

  @Test
  void rows_are_selected() {
    putLastRow();
    Operand table = Operand.of(large, DType.BF16, 1, ROWS, COLUMNS);
    Operand out = Operand.of(row, DType.BF16, 1, 1, COLUMNS);
    cuda.kernels().run(new IndexSelect(table, Indices.unchecked(ids()), out));
    assertThree(row, 0, COLUMNS);
  }

  @Test
  void rows_are_scattered() {
    cuda.memory().write(filled(COLUMNS, (short) 0), large, (ROWS - 1) * COLUMNS * 2);
    cuda.memory().write(filled(COLUMNS, THREE), row, 0);
    Operand x = Operand.of(row, DType.BF16, 1, COLUMNS);
    Operand table = Operand.of(large, DType.BF16, ROWS, COLUMNS);
    cuda.kernels().run(new ScatterRows(x, Indices.unchecked(ids()), table));
    assertThree(large, (ROWS - 1) * COLUMNS * 2, COLUMNS);
  }

  @Test
  void elements_are_copied_by_strides() {
    putLastRow();
    Operand column =
        new Operand(
            large, COLUMNS - 1, DType.BF16, new long[] {2}, new long[] {(ROWS - 1) * COLUMNS});
    cuda.memory().write(filled(COLUMNS, THREE), large, 0);
    cuda.kernels().run(new Copy(column, Operand.of(row, DType.BF16, 2)));
    assertThree(row, 0, 2);
  }

  @Test
  void keys_and_values_of_a_late_page_are_seen() {
    putLastRow();
    long pages = ROWS * COLUMNS / (PAGE * HEAD);
    try (Buffer table = of(MemorySegment.ofArray(new int[] {(int) (pages - 1)}));
        Buffer lengths = of(MemorySegment.ofArray(new int[] {(int) PAGE}));
        Buffer query = of(filled(HEAD, (short) 0))) {
      Operand cache = Operand.of(large, DType.BF16, pages, PAGE, 1, HEAD);
      cuda.kernels()
          .run(
              new ScaledDotProductAttention(
                  Operand.of(query, DType.BF16, 1, 1, 1, HEAD),
                  cache,
                  cache,
                  Operand.of(row, DType.BF16, 1, 1, 1, HEAD),
                  null,
                  AttentionKeys.paged(
                      Indices.unchecked(Operand.of(table, DType.I32, 1, 1)),
                      new Lengths(Operand.of(lengths, DType.I32, 1), (int) PAGE)),
                  AttentionScores.scaled(1),
                  AttentionMask.NONE,
                  Dropout.NONE,
                  null,
                  null));
      assertThree(row, 0, HEAD);
    }
  }
}
