package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Products with weights as they lie in a file give what those with their packed form do. */
final class BlockMatmulTest {
  private static final Backend CUDA = Emulator.open();
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  // One, a few, several tiles, several tasks, and more than are converted at a time.
  private static final int[] ROWS = {1, 3, 7, 40, 150, 530};

  static Stream<BlockFormat> formats() {
    return BlockFormat.all();
  }

  private static final List<LevelVariant> LEVELS =
      Stream.concat(LevelVariant.whole().stream(), LevelVariant.reduced().stream()).toList();

  @AfterEach
  void bestLevel() {
    LevelVariant.whole().getLast().choose(Subjects.CPU);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void they_are_those_of_the_packed_form_to_the_bit(BlockFormat format) {
    Random random = new Random(Long.getLong("gatun.test.seed", 1) + format.hashCode());
    int block = format.blockSize(0);
    int[] depths =
        format.layout().group() == 0 ? new int[] {210, 64} : new int[] {block, 2 * block};
    int which = 0;
    for (int rows : ROWS) {
      for (QuantizedActivations activations : QuantizedActivations.values()) {
        for (DType x : FLOATS) {
          int k = depths[which++ % depths.length];
          int n = 1 + random.nextInt(100);
          DType y = FLOATS[random.nextInt(FLOATS.length)];
          String about =
              "%s by %d rows of %d %s to %d of %s, %s"
                  .formatted(format, rows, k, x, n, y, activations);
          compare(about, format, activations, random, x, y, rows, n, k);
        }
      }
    }
  }

  private static void compare(
      String about,
      BlockFormat format,
      QuantizedActivations activations,
      Random random,
      DType dtype,
      DType result,
      int m,
      int n,
      int k) {
    Backend backend = Subjects.CPU;
    Memory memory = backend.memory();
    byte[] numbers = aboutOne(random, dtype, m * k);
    byte[] weight = blocks(random, format, n, k);
    int first = random.nextInt(8);
    try (Buffer x = memory.allocate((long) m * k * dtype.bytes());
        Buffer rows = memory.allocate(first + weight.length);
        Buffer packed = memory.allocate(format.layout().packedBytes(n, k));
        Buffer bias = memory.allocate(4L * n);
        Buffer y = memory.allocate((long) result.bytes() * m * n)) {
      memory.write(MemorySegment.ofArray(numbers), x, 0);
      memory.write(MemorySegment.ofArray(weight), rows, first);
      memory.fill(bias, 0, bias.byteSize(), (byte) 0x3e);
      long rowBytes = format.rowBytes(k);
      BlockMatmul call =
          new BlockMatmul(
              format,
              activations,
              Operand.of(x, dtype, m, k),
              new Operand(
                  rows, first, DType.U8, new long[] {n, rowBytes}, new long[] {rowBytes, 1}),
              Operand.of(bias, DType.F32, n),
              Activation.SILU,
              Operand.of(y, result, m, n));
      for (LevelVariant level : LEVELS) {
        level.choose(Subjects.CPU);
        Operand p = Operand.of(packed, DType.U8, packed.byteSize());
        backend.kernels().run(call.pack(format.layout(), p));
        backend.kernels().run(call.product(format.layout(), p));
        byte[] expected = bytes(memory, y);
        memory.fill(y, 0, y.byteSize(), (byte) 0xa5);
        backend.kernels().run(call);
        assertArrayEquals(expected, bytes(memory, y), about + " on " + level);
      }
    }
  }

  /** Weights of floats: rows apart or not, of odd lengths, and 4 KB apart. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void products_with_rows_of_floats_are_those_of_the_packed_form_to_the_bit(DType dtype) {
    Random random = new Random(Long.getLong("gatun.test.seed", 1) + dtype.hashCode());
    for (int rows : new int[] {1, 2, 5, 8, 9, 40, 129, 150, 530}) {
      for (int k : new int[] {0, 1 + random.nextInt(40), 64 + 2 * random.nextInt(150), 1024}) {
        int n = 1 + random.nextInt(150);
        int apart = k + random.nextInt(3) * random.nextInt(20);
        compare(dtype, random, rows, n, k, k == 1024 ? 4096 / dtype.bytes() : apart);
      }
    }
    // More than 4 MB of a weight are packed at a time for rows that are many.
    compare(dtype, random, 131, 4400 / dtype.bytes() + 20, 1024, 1024);
  }

  private static void compare(DType dtype, Random random, int m, int n, int k, int apart) {
    Backend backend = Subjects.CPU;
    Memory memory = backend.memory();
    long count = MatmulPack.packedCount(dtype, n, k);
    DType from = dtype == DType.F32 ? dtype : FLOATS[random.nextInt(3)];
    DType to = dtype == DType.F32 ? dtype : FLOATS[random.nextInt(3)];
    byte[] numbers = aboutOne(random, from, m * k);
    byte[] weight = aboutOne(random, dtype, n * apart);
    try (Buffer x = memory.allocate(numbers.length);
        Buffer rows = memory.allocate(weight.length);
        Buffer packed = memory.allocate(count * dtype.bytes());
        Buffer bias = memory.allocate(4L * n);
        Buffer y = memory.allocate((long) to.bytes() * m * n)) {
      memory.write(MemorySegment.ofArray(numbers), x, 0);
      memory.write(MemorySegment.ofArray(weight), rows, 0);
      memory.fill(bias, 0, bias.byteSize(), (byte) 0x3e);
      Operand stored = new Operand(rows, 0, dtype, new long[] {n, k}, new long[] {apart, 1});
      Operand p = Operand.of(packed, dtype, count);
      Matmul call =
          new Matmul(
              Operand.of(x, from, m, k),
              stored,
              random.nextBoolean() ? Operand.of(bias, DType.F32, n) : null,
              Activation.SILU,
              Operand.of(y, to, m, n));
      for (LevelVariant level : LEVELS) {
        level.choose(Subjects.CPU);
        backend.kernels().run(new MatmulPack(stored, p));
        backend.kernels().run(call.byPacked(p));
        byte[] expected = bytes(memory, y);
        memory.fill(y, 0, y.byteSize(), (byte) 0xa5);
        backend.kernels().run(call);
        assertArrayEquals(
            expected,
            bytes(memory, y),
            "%s: %d rows of %d %s to %d %s, %d apart, on %s"
                .formatted(dtype, m, k, from, n, to, apart, level));
      }
    }
  }

  /** Blocks whose scales are no numbers are of no concern where nothing is multiplied. */
  @Test
  void no_rows_need_no_blocks() {
    BlockFormat format = BlockFormat.Q4_0;
    byte[] bad = new byte[(int) format.rowBytes(32)];
    Arrays.fill(bad, (byte) 0xff);
    for (Backend each : new Backend[] {Subjects.EXACT, Subjects.CPU}) {
      for (int rows : new int[] {0, 1}) {
        try (Buffer x = each.memory().allocate(4L * 32 * rows);
            Buffer blocks = each.memory().allocate(bad.length);
            Buffer y = each.memory().allocate(4L * rows)) {
          each.memory().write(MemorySegment.ofArray(bad), blocks, 0);
          BlockMatmul call =
              new BlockMatmul(
                  format,
                  QuantizedActivations.EXACT,
                  Operand.of(x, DType.F32, rows, 32),
                  Operand.of(blocks, DType.U8, 1, bad.length),
                  null,
                  Activation.NONE,
                  Operand.of(y, DType.F32, rows, 1));
          if (rows == 0) {
            each.kernels().run(call);
          } else {
            assertEquals(
                "block_matmul: block 0 of row 0 has scale NaN and minimum 0.0, expected finite"
                    + " numbers of Q4_0",
                assertThrows(IllegalArgumentException.class, () -> each.kernels().run(call))
                    .getMessage());
          }
        }
      }
    }
  }

  /** Numbers about 1, of both signs. */
  private static byte[] aboutOne(Random random, DType dtype, int count) {
    byte[] numbers = new byte[count * dtype.bytes()];
    random.nextBytes(numbers);
    for (int i = 1; i <= count; i++) {
      int high = dtype.bytes() * i - 1;
      numbers[high] = (byte) (0x3c | numbers[high] & 0x83);
    }
    return numbers;
  }

  private static byte[] blocks(Random random, BlockFormat format, int n, int k) {
    byte[] blocks = new byte[Math.toIntExact(n * format.rowBytes(k))];
    long seed = random.nextLong();
    Quantizer.quantize(
        format,
        (row, x) -> {
          Random own = new Random(seed + row);
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) own.nextGaussian();
          }
        },
        n,
        k,
        MemorySegment.ofArray(blocks));
    return blocks;
  }

  private static byte[] bytes(Memory memory, Buffer buffer) {
    byte[] bytes = new byte[Math.toIntExact(buffer.byteSize())];
    memory.read(buffer, 0, MemorySegment.ofArray(bytes));
    return bytes;
  }

  static Stream<Arguments> backends() {
    return Stream.concat(
        Stream.of(Arguments.of(Subjects.EXACT, null), Arguments.of(CUDA, null)),
        LEVELS.stream().map(level -> Arguments.of(Subjects.CPU, level)));
  }

  @ParameterizedTest
  @MethodSource("backends")
  void a_scale_that_is_not_finite_is_refused(Backend backend, LevelVariant level) {
    if (level != null) {
      level.choose(Subjects.CPU);
    }
    byte[] weight = new byte[2 * (int) BlockFormat.Q4_0.rowBytes(64)];
    weight[18 * 3 + 1] = 0x7e;
    Memory memory = backend.memory();
    try (Buffer x = memory.allocate(64 * 4);
        Buffer rows = memory.allocate(weight.length);
        Buffer y = memory.allocate(8)) {
      memory.write(MemorySegment.ofArray(weight), rows, 0);
      for (QuantizedActivations activations : QuantizedActivations.values()) {
        for (DType dtype : FLOATS) {
          BlockMatmul call =
              new BlockMatmul(
                  BlockFormat.Q4_0,
                  activations,
                  Operand.of(x, dtype, 1, 64),
                  Operand.of(rows, DType.U8, 2, 36),
                  null,
                  Activation.NONE,
                  Operand.of(y, DType.F32, 1, 2));
          assertEquals(
              "block_matmul: block 1 of row 1 has scale NaN and minimum 0.0, expected finite"
                  + " numbers of Q4_0",
              assertThrows(IllegalArgumentException.class, () -> backend.kernels().run(call))
                  .getMessage());
        }
      }
    }
  }
}
