package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Results larger than the caches, which kernels may write around them: every row has the bits that
 * it has in a small call.
 */
@Tag("full")
final class LargeResultsTest {
  private static final long LARGE = 1L << 25;
  private static final int SMALL = 64;

  private static final Map<String, Call> CALLS =
      new TreeMap<>(
          Map.of(
              "layer_norm",
              (kernels, a, b, y, sum) ->
                  kernels.run(new LayerNorm(a, b, null, null, 1e-5f, y, sum)),
              "rms_norm",
              (kernels, a, b, y, sum) -> kernels.run(new RmsNorm(a, b, first(b), 1, 1e-5f, y, sum)),
              "softmax",
              (kernels, a, b, y, sum) -> kernels.run(new Softmax(a, false, y)),
              "log_softmax",
              (kernels, a, b, y, sum) -> kernels.run(new Softmax(a, true, y)),
              "gelu",
              (kernels, a, b, y, sum) -> kernels.run(new Activate(a, Activation.GELU, y)),
              "gated_silu",
              (kernels, a, b, y, sum) -> kernels.run(new GatedActivation(a, b, Activation.SILU, y)),
              "add",
              (kernels, a, b, y, sum) -> kernels.run(new Elementwise(a, b, BinaryOp.ADD, y)),
              "embedding",
              (kernels, a, b, y, sum) -> embed(kernels, a, y),
              "cast",
              (kernels, a, b, y, sum) -> kernels.run(new Cast(a, y))));

  /** A kernel from rows of a and b to rows of y, and of sum where it has a second result. */
  private interface Call {
    void run(Kernels kernels, Operand a, Operand b, Operand y, Operand sum);
  }

  static List<CpuLevel> levels() {
    return Subjects.levels();
  }

  @ParameterizedTest
  @MethodSource("levels")
  void have_the_bits_of_small_ones(CpuLevel level) {
    Subjects.CPU.setLevel(level);
    for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
      // Rows that all begin a line of the cache, that some do, and that end within a vector.
      for (long columns : new long[] {160, 80, 1001}) {
        check(level, dtype, columns);
      }
    }
  }

  private static void check(CpuLevel level, DType dtype, long columns) {
    long rows = LARGE / columns / dtype.bytes() / SMALL * SMALL + SMALL;
    long bytes = rows * columns * dtype.bytes();
    Memory memory = Subjects.CPU.memory();
    try (Buffer a = memory.allocate(bytes);
        Buffer b = memory.allocate(bytes);
        Buffer y = memory.allocate(bytes);
        Buffer sum = memory.allocate(bytes);
        Buffer few = memory.allocate(bytes / rows * SMALL);
        Buffer fewSums = memory.allocate(bytes / rows * SMALL)) {
      fill(a, 1, dtype, rows * columns);
      fill(b, 2, dtype, rows * columns);
      CALLS.forEach(
          (name, call) -> {
            String what = "%s of [%d, %d] %s on %s".formatted(name, rows, columns, dtype, level);
            call.run(
                Subjects.CPU.kernels(),
                rows(a, dtype, 0, rows, columns),
                rows(b, dtype, 0, rows, columns),
                rows(y, dtype, 0, rows, columns),
                rows(sum, dtype, 0, rows, columns));
            for (long row = 0; row < rows; row += SMALL) {
              call.run(
                  Subjects.CPU.kernels(),
                  rows(a, dtype, row, SMALL, columns),
                  rows(b, dtype, row, SMALL, columns),
                  rows(few, dtype, 0, SMALL, columns),
                  rows(fewSums, dtype, 0, SMALL, columns));
              long from = row * columns * dtype.bytes();
              assertEquals(-1, difference(y, from, few), what + ", rows from " + row);
              if (name.endsWith("_norm")) {
                assertEquals(-1, difference(sum, from, fewSums), what + ", sums from " + row);
              }
            }
          });
    }
  }

  /**
   * The first byte of all of `few` that is another in the large buffer from an offset on, or -1.
   */
  private static long difference(Buffer large, long offset, Buffer few) {
    MemorySegment some = bytes(few, 0, few.byteSize());
    return bytes(large, offset, few.byteSize()).mismatch(some);
  }

  private static MemorySegment bytes(Buffer buffer, long offset, long count) {
    MemorySegment to = MemorySegment.ofArray(new byte[(int) count]);
    buffer.memory().read(buffer, offset, to);
    return to;
  }

  private static void fill(Buffer buffer, long seed, DType dtype, long count) {
    Random random = new Random(seed);
    float[] numbers = new float[(int) count];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = 3 * random.nextFloat() - 1.5f;
    }
    try (Buffer wide = buffer.memory().allocate(4 * count)) {
      buffer.memory().write(MemorySegment.ofArray(numbers), wide, 0);
      Operand floats = Operand.of(wide, DType.F32, 1, count);
      Subjects.CPU.kernels().run(new Cast(floats, Operand.of(buffer, dtype, 1, count)));
    }
  }

  private static Operand rows(Buffer buffer, DType dtype, long row, long rows, long columns) {
    return new Operand(
        buffer, row * columns, dtype, new long[] {rows, columns}, new long[] {columns, 1});
  }

  private static void embed(Kernels kernels, Operand table, Operand y) {
    long[] rows = LongStream.range(0, table.shape()[0]).toArray();
    try (Buffer ids = Subjects.CPU.memory().allocate(8L * rows.length)) {
      ids.memory().write(MemorySegment.ofArray(rows), ids, 0);
      Indices known = new Indices(Operand.of(ids, DType.I64, rows.length), rows.length);
      kernels.run(new Embedding(table, known, false, y));
    }
  }

  private static Operand first(Operand rows) {
    return new Operand(
        rows.buffer(), 0, rows.dtype(), new long[] {rows.shape()[1]}, new long[] {1});
  }
}
