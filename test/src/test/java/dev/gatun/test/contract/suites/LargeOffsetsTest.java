package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operands of more than 2 GiB: what lies beyond is found there. */
@Tag("full")
final class LargeOffsetsTest {
  private static final long COLUMNS = 1 << 10;
  private static final long ROWS = (1L << 31) / 4 / COLUMNS + 64;

  static List<CpuLevel> levels() {
    return Subjects.levels();
  }

  @ParameterizedTest
  @MethodSource("levels")
  void rows_beyond_two_gibibytes(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    try (Buffer large = Subjects.CPU.memory().allocate(ROWS * COLUMNS * 4);
        Buffer small = Subjects.CPU.memory().allocate(64 * COLUMNS * 4);
        Buffer ids = Subjects.CPU.memory().allocate(8)) {
      Operand table = Operand.of(large, DType.F32, ROWS, COLUMNS);
      Operand out = Operand.of(small, DType.F32, 1, COLUMNS);
      Operand id = Operand.of(ids, DType.I64, 1);
      put(large, (ROWS - 1) * COLUMNS * 4, COLUMNS, 3);
      Subjects.CPU.memory().write(MemorySegment.ofArray(new long[] {ROWS - 1}), ids, 0);
      Subjects.CPU.kernels().run(new Embedding(table, Indices.unchecked(id), false, out));
      assertEquals(3, first(small, 0));

      Subjects.CPU.kernels().run(new Activate(table, Activation.RELU, table));
      assertEquals(3, first(large, (ROWS - 1) * COLUMNS * 4));

      Subjects.CPU.kernels().run(new Elementwise(table, out, BinaryOp.ADD, table));
      assertEquals(6, first(large, (ROWS - 1) * COLUMNS * 4));

      Operand three = Operand.of(large, DType.F32, 1, ROWS, COLUMNS);
      Operand selected = Operand.of(small, DType.F32, 1, 1, COLUMNS);
      Subjects.CPU.kernels().run(new IndexSelect(three, Indices.unchecked(id), selected));
      assertEquals(6, first(small, 0));

      Operand last =
          new Operand(
              large,
              (ROWS - 2) * COLUMNS,
              DType.F32,
              new long[] {COLUMNS, 2},
              new long[] {1, COLUMNS});
      Subjects.CPU.kernels().run(new Copy(last, Operand.of(small, DType.F32, COLUMNS, 2)));
      assertEquals(6, first(small, 4));

      // A row of equal numbers is all zeros when normalised.
      Subjects.CPU.kernels().run(new LayerNorm(table, null, null, null, 1e-5f, table, null));
      assertEquals(0, first(large, (ROWS - 1) * COLUMNS * 4));
    }
  }

  @ParameterizedTest
  @MethodSource("levels")
  void a_weight_and_keys_beyond_two_gibibytes(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    try (Buffer large = Subjects.CPU.memory().allocate(ROWS * COLUMNS * 4);
        Buffer x = Subjects.CPU.memory().allocate(COLUMNS * 4);
        Buffer y = Subjects.CPU.memory().allocate(ROWS * 4)) {
      put(large, 0, ROWS * COLUMNS, 0);
      put(x, 0, COLUMNS, 1);
      // The last feature of the last panel counts the inputs.
      for (long k = 0; k < COLUMNS; k++) {
        long place = (ROWS / MatmulPack.PANEL - 1) * COLUMNS + k;
        put(large, (place * MatmulPack.PANEL + MatmulPack.PANEL - 1) * 4, 1, 1);
      }
      Subjects.CPU
          .kernels()
          .run(
              new Matmul(
                  Operand.of(x, DType.F32, 1, COLUMNS),
                  Operand.of(large, DType.F32, MatmulPack.packedCount(DType.F32, ROWS, COLUMNS)),
                  null,
                  Activation.NONE,
                  Operand.of(y, DType.F32, 1, ROWS)));
      assertEquals(COLUMNS, first(y, (ROWS - 1) * 4));

      // One query over keys and values that are the same memory: equal scores, so the mean.
      put(large, 0, ROWS * COLUMNS, 0);
      put(large, (ROWS - 1) * COLUMNS * 4, COLUMNS, ROWS);
      put(x, 0, COLUMNS, 0);
      Operand keys = Operand.of(large, DType.F32, 1, ROWS, 1, COLUMNS);
      Subjects.CPU
          .kernels()
          .run(
              ScaledDotProductAttention.of(
                  Operand.of(x, DType.F32, 1, 1, 1, COLUMNS),
                  keys,
                  keys,
                  Operand.of(y, DType.F32, 1, 1, 1, COLUMNS),
                  1));
      assertEquals(1, first(y, 0), 1e-3);
    }
  }

  private static void put(Buffer buffer, long offset, long count, float value) {
    float[] part = new float[(int) Math.min(count, 1 << 20)];
    Arrays.fill(part, value);
    for (long done = 0; done < count; done += part.length) {
      long now = Math.min(part.length, count - done);
      buffer
          .memory()
          .write(MemorySegment.ofArray(part).asSlice(0, 4 * now), buffer, offset + 4 * done);
    }
  }

  private static float first(Buffer buffer, long offset) {
    float[] value = new float[1];
    buffer.memory().read(buffer, offset, MemorySegment.ofArray(value));
    return MemorySegment.ofArray(value).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
  }
}
