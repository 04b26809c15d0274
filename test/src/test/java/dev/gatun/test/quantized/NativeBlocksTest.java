package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.kernels.formats.HostBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The native quantisers and packers against the ones in Java, to the byte, on every level: random
 * weights of all magnitudes, subnormal ones too, with zeros of both signs, equal elements, lone
 * large ones and ties.
 */
final class NativeBlocksTest {
  private static final int ROUNDS = 6;

  private final CpuBackend backend = (CpuBackend) Devices.host();
  private final Memory memory = backend.memory();

  static Stream<BlockFormat> formats() {
    return BlockFormat.all();
  }

  @AfterEach
  void bestLevel() {
    backend.setLevel(CpuBackend.levels().getLast());
  }

  @ParameterizedTest
  @MethodSource("formats")
  void bytes_are_those_of_java(BlockFormat format) {
    long seed = Long.getLong("gatun.test.seed", format.hashCode());
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(seed + round);
      int rows = 1 + random.nextInt(70);
      int length = length(format, random);
      DType dtype = new DType[] {DType.F32, DType.BF16, DType.F16}[round % 3];
      boolean transposed = round >= 3;
      String about =
          "%s, seed %d: %s[%d, %d]%s"
              .formatted(format, seed + round, dtype, rows, length, transposed ? " strided" : "");
      compare(about, format, rows, length, dtype, transposed, random);
    }
  }

  private static int length(BlockFormat format, Random random) {
    if (format.layout().group() == 0) {
      return 1 + random.nextInt(700);
    }
    return format.blockSize(0) * (1 + random.nextInt(3));
  }

  private void compare(
      String about,
      BlockFormat format,
      int rows,
      int length,
      DType dtype,
      boolean transposed,
      Random random) {
    long rowBytes = format.rowBytes(length);
    long packedBytes = format.layout().packedBytes(rows, length);
    try (Buffer weight = memory.allocate((long) rows * length * dtype.bytes());
        Buffer blocks = memory.allocate(rows * rowBytes);
        Buffer floats = memory.allocate(4L * rows * length);
        Buffer packed = memory.allocate(packedBytes);
        Arena arena = Arena.ofShared()) {
      Operand w =
          new Operand(
              weight,
              0,
              dtype,
              new long[] {rows, length},
              transposed ? new long[] {1, rows} : new long[] {length, 1});
      Operand b = Operand.of(blocks, DType.U8, rows, rowBytes);
      Operand f = Operand.of(floats, DType.F32, rows, length);
      Operand p = Operand.of(packed, DType.U8, packedBytes);
      MemorySegment elements = fill(arena, dtype, rows, length, transposed, random);
      memory.write(elements, weight, 0);
      MemorySegment javaBlocks = arena.allocate(rows * rowBytes);
      HostBlocks.quantize(format, w, elements, javaBlocks);
      MemorySegment javaFloats = arena.allocate(4L * rows * length);
      HostBlocks.dequantize(format, b, javaBlocks, length, javaFloats);
      MemorySegment javaPacked = arena.allocate(packedBytes);
      QuantizedPack pack = new QuantizedPack(format, format.layout(), length, b, p);
      HostBlocks.pack(format, format.layout(), length, b, javaBlocks, javaPacked);
      for (CpuLevel level : CpuBackend.levels()) {
        backend.setLevel(level);
        poison(blocks);
        poison(floats);
        poison(packed);
        backend.kernels().run(new Quantize(w, format, b));
        equal(about + ", blocks on " + level, javaBlocks, blocks);
        backend.kernels().run(new Dequantize(format, b, f));
        equal(about + ", floats on " + level, javaFloats, floats);
        backend.kernels().run(pack);
        equal(about + ", packed on " + level, javaPacked, packed);
      }
    }
  }

  private void poison(Buffer buffer) {
    byte[] bytes = new byte[(int) buffer.byteSize()];
    java.util.Arrays.fill(bytes, (byte) 0xa5);
    memory.write(MemorySegment.ofArray(bytes), buffer, 0);
  }

  private void equal(String about, MemorySegment expected, Buffer actual) {
    byte[] bytes = new byte[(int) actual.byteSize()];
    memory.read(actual, 0, MemorySegment.ofArray(bytes));
    assertArrayEquals(expected.toArray(ValueLayout.JAVA_BYTE), bytes, about);
  }

  /** Elements of a kind that changes from run to run of 16. */
  private static MemorySegment fill(
      Arena arena, DType dtype, int rows, int length, boolean transposed, Random random) {
    MemorySegment elements = arena.allocate((long) rows * length * dtype.bytes());
    for (int row = 0; row < rows; row++) {
      double size = Math.pow(10, random.nextInt(9) - 6);
      // Some rows come to where numbers lose their bits, and the inverse of a scale is infinite.
      double tiny = random.nextInt(4) == 0 ? Math.pow(10, -random.nextInt(46)) : 1;
      int kind = 0;
      for (int i = 0; i < length; i++) {
        kind = i % 16 == 0 ? random.nextInt(7) : kind;
        float x =
            switch (kind) {
              case 0 -> random.nextBoolean() ? 0f : -0f;
              case 1 -> (float) size;
              case 2 -> (random.nextInt(9) - 4) * 0.5f;
              case 3 -> (float) (random.nextGaussian() * 1e-30);
              case 4 -> (float) -Math.abs(random.nextGaussian() * size);
              case 5 -> (float) (random.nextGaussian() * (i % 16 == 3 ? 30 * size : size));
              default -> (float) (random.nextGaussian() * size);
            };
        x = (float) (x * tiny);
        long place = transposed ? (long) i * rows + row : (long) row * length + i;
        switch (dtype) {
          case F32 -> elements.setAtIndex(ValueLayout.JAVA_FLOAT, place, x);
          case BF16 ->
              elements.setAtIndex(
                  ValueLayout.JAVA_SHORT, place, (short) (Float.floatToRawIntBits(x) >>> 16));
          default -> elements.setAtIndex(ValueLayout.JAVA_SHORT, place, Float.floatToFloat16(x));
        }
      }
    }
    return elements;
  }

  @ParameterizedTest
  @MethodSource("formats")
  void what_has_no_blocks_is_named(BlockFormat format) {
    for (CpuLevel level : CpuBackend.levels()) {
      backend.setLevel(level);
      namesWhatHasNoBlocks(format);
    }
  }

  private void namesWhatHasNoBlocks(BlockFormat format) {
    int length = format.layout().group() == 0 ? 100 : 2 * format.blockSize(0);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] weight = new float[3 * length];
      weight[length + length / 2 + 1] = bad;
      assertEquals(
          "quantize to %s: element [1, %d] is %s, expected finite numbers"
              .formatted(format, length / 2 + 1, bad),
          assertThrows(IllegalArgumentException.class, () -> quantize(format, weight, length))
              .getMessage());
    }
    float[] large = new float[3 * length];
    large[2 * length + 1] = Float.MAX_VALUE;
    large[2 * length + 2] = -Float.MAX_VALUE;
    boolean fits = format.kind() == BlockFormat.Kind.INT8;
    fits |= format.kind() == BlockFormat.Kind.INT8_ZERO;
    fits |= format.kind() == BlockFormat.Kind.MXFP4;
    if (!fits) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> quantize(format, large, length))
              .getMessage();
      assertEquals(
          "quantize to %s: element [2, ".formatted(format),
          message.substring(0, message.indexOf("[2, ") + 4));
    }
  }

  /** Rows of one kind each, at the ends of what scales and codes can hold. */
  @ParameterizedTest
  @MethodSource("formats")
  void extremes_are_as_of_java(BlockFormat format) {
    int length = format.layout().group() == 0 ? 67 : format.blockSize(0);
    float most = Float.MAX_VALUE;
    float[][] kinds = {
      {5},
      {-5},
      {-0f},
      {0f, -0f},
      {1e-44f, -1e-45f},
      {1e-38f},
      {65504, -65504},
      {-65504},
      {65520},
      {1e7f, -1e7f, 1},
      {most},
      {-most},
      {most, -most},
      {most, 0},
      {0, 1e-30f, 0, 1e30f},
      {1e33f, -2e33f},
      {0, 0, 0, -3e4f},
      {-1, -1 - 1e-7f},
      {most / 2, -most, 3},
      {1e-20f, 2e-20f, 3e-20f},
    };
    for (float[] kind : kinds) {
      float[] weight = new float[3 * length];
      for (int i = 0; i < length; i++) {
        weight[length + i] = kind[i % kind.length];
      }
      same(format, weight, length, "all are " + java.util.Arrays.toString(kind));
      java.util.Arrays.fill(weight, 0);
      System.arraycopy(kind, 0, weight, length + length / 2, kind.length);
      same(format, weight, length, "some are " + java.util.Arrays.toString(kind));
    }
  }

  /** GGML rounds what lies next to a half as it is: the sum with a half is 1 as a float. */
  @Test
  void what_is_next_to_a_half_is_rounded_to_nothing() {
    float[] weight = new float[32];
    float near = Math.nextDown(0.5f);
    weight[0] = 127;
    weight[1] = near;
    weight[2] = -near;
    weight[3] = 0.5f;
    weight[4] = -0.5f;
    byte[] codes = {127, 0, 0, 1, -1};
    try (Buffer given = memory.allocate(4L * weight.length);
        Buffer blocks = memory.allocate(34)) {
      memory.write(MemorySegment.ofArray(weight), given, 0);
      for (CpuLevel level : CpuBackend.levels()) {
        backend.setLevel(level);
        backend
            .kernels()
            .run(
                new Quantize(
                    Operand.of(given, DType.F32, 1, 32),
                    BlockFormat.of("Q8_0"),
                    Operand.of(blocks, DType.U8, 1, 34)));
        byte[] bytes = new byte[34];
        memory.read(blocks, 0, MemorySegment.ofArray(bytes));
        assertArrayEquals(codes, java.util.Arrays.copyOfRange(bytes, 2, 7), level.toString());
      }
    }
  }

  /** Scales about the largest of F16, which the search for better ones passes or does not. */
  @ParameterizedTest
  @MethodSource("formats")
  void the_ends_of_scales_are_as_of_java(BlockFormat format) {
    int length = format.layout().group() == 0 ? 67 : format.blockSize(0);
    Random random = new Random(format.hashCode());
    // What codes span, and codes and scales of parts.
    int[] spans = {1, 15, 45, 15 * 63, 31 * 63};
    for (int round = 0; round < 60; round++) {
      double size = 65504.0 * spans[round % spans.length] * (0.998 + 0.004 * random.nextDouble());
      float[] weight = new float[3 * length];
      for (int i = 0; i < length; i++) {
        double x = round % 2 == 0 ? random.nextDouble() : random.nextInt(16) / 15.0;
        weight[length + i] = (float) (size * x);
      }
      same(format, weight, length, "round " + round);
    }
  }

  /**
   * A scale of parts that F16 still holds, where what suits the codes best is larger than it: the
   * other parts' scales are rounded down to whole ones.
   */
  @ParameterizedTest
  @MethodSource("formats")
  void scales_that_grow_beyond_their_ends_are_as_of_java(BlockFormat format) {
    int length = format.layout().group() == 0 ? 67 : format.blockSize(0);
    Random random = new Random(format.hashCode());
    for (int round = 0; round < 40; round++) {
      int steps = round % 2 == 0 ? 15 : 31;
      double size = 65504.0 * 63 * (0.994 + 0.006 * random.nextDouble());
      float[] weight = new float[3 * length];
      for (int i = 0; i < length; i++) {
        int code = i % 32 < 2 ? i % 32 * steps : random.nextInt(steps + 1);
        weight[length + i] = (float) (size * code * (i < 32 ? 1 : 31.4 / 63));
      }
      same(format, weight, length, "round " + round);
    }
  }

  /**
   * Parts of a block of very different sizes, nearly even but for one element: scales of parts are
   * coarse then, and what suits them best may be a least value above 0.
   */
  @ParameterizedTest
  @MethodSource("formats")
  void uneven_parts_are_as_of_java(BlockFormat format) {
    int length = format.layout().group() == 0 ? 67 : format.blockSize(0);
    Random random = new Random(format.hashCode());
    for (int round = 0; round < 24; round++) {
      float[] weight = new float[3 * length];
      double size = 1;
      for (int i = 0; i < weight.length; i++) {
        size = i % 16 == 0 && random.nextBoolean() ? Math.pow(10, random.nextInt(4) - 2) : size;
        double x = i % 32 == 3 ? -0.02 : 0.9 + 0.1 * random.nextDouble();
        weight[i] = (float) (size * x);
      }
      same(format, weight, length, "round " + round);
    }
  }

  /** Ones at each place of a block in a whole panel: only as a scale or a minimum they are none. */
  @ParameterizedTest
  @MethodSource("formats")
  void scales_that_are_not_finite_are_refused_as_by_java(BlockFormat format) {
    int length = format.layout().group() == 0 ? 67 : 2 * format.blockSize(0);
    int rowBytes = Math.toIntExact(format.rowBytes(length));
    byte[] ones = {-1, -1, -1, -1};
    int width = format.kind() == BlockFormat.Kind.MXFP4 ? 1 : ones.length;
    int refused = 0;
    try (Buffer blocks = memory.allocate(32 * rowBytes);
        Buffer packed = memory.allocate(format.layout().packedBytes(32, length))) {
      Operand b = Operand.of(blocks, DType.U8, 32, rowBytes);
      QuantizedPack call =
          new QuantizedPack(
              format, format.layout(), length, b, Operand.of(packed, DType.U8, packed.byteSize()));
      for (int at = 0; at + width <= rowBytes; at++) {
        int row = at * 7 % 32;
        memory.fill(blocks, 0, blocks.byteSize(), (byte) 0);
        memory.write(MemorySegment.ofArray(ones).asSlice(0, width), blocks, row * rowBytes + at);
        String java = refusal(() -> HostBlocks.requireFinite("quantized_pack", format, length, b));
        refused += java == null ? 0 : 1;
        for (CpuLevel level : CpuBackend.levels()) {
          backend.setLevel(level);
          assertEquals(java, refusal(() -> backend.kernels().run(call)), level + ", byte " + at);
        }
      }
    }
    assertTrue(refused > 0);
  }

  private void same(BlockFormat format, float[] weight, int length, String about) {
    long rowBytes = format.rowBytes(length);
    try (Buffer from = memory.allocate(4L * weight.length);
        Buffer blocks = memory.allocate(3 * rowBytes);
        Arena arena = Arena.ofShared()) {
      Operand w = Operand.of(from, DType.F32, 3, length);
      MemorySegment elements = arena.allocateFrom(ValueLayout.JAVA_FLOAT, weight);
      memory.write(elements, from, 0);
      MemorySegment java = arena.allocate(3 * rowBytes);
      String refused = refusal(() -> HostBlocks.quantize(format, w, elements, java));
      for (CpuLevel level : CpuBackend.levels()) {
        backend.setLevel(level);
        poison(blocks);
        assertEquals(refused, refusal(() -> quantize(format, weight, length)), about);
        if (refused == null) {
          backend.kernels().run(new Quantize(w, format, Operand.of(blocks, DType.U8, 3, rowBytes)));
          equal(format + " on " + level + ", " + about, java, blocks);
        }
      }
    }
  }

  private static String refusal(Runnable work) {
    try {
      work.run();
      return null;
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }

  private void quantize(BlockFormat format, float[] weight, int length) {
    try (Buffer from = memory.allocate(4L * weight.length);
        Buffer blocks = memory.allocate(3 * format.rowBytes(length))) {
      memory.write(MemorySegment.ofArray(weight), from, 0);
      backend
          .kernels()
          .run(
              new Quantize(
                  Operand.of(from, DType.F32, 3, length),
                  format,
                  Operand.of(blocks, DType.U8, 3, format.rowBytes(length))));
    }
  }
}
