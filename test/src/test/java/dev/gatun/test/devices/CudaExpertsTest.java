package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.Backend;
import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.ExpertCombine;
import dev.gatun.kernels.api.GroupedMatmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Operand;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * Rows, offsets and places that are none: the host does not see them, so the kernels must do what
 * the calls' specifications say, and touch nothing else, which the emulator checks.
 */
final class CudaExpertsTest {
  private static final Backend CUDA = Emulator.open();
  private static final int EXPERTS = 3;
  private static final int PLACES = 6;
  private static final int SIZE = 8;
  private static final float UNWRITTEN = -7;

  /** Places [6] of tokens [2] by experts whose weights are their numbers, plus 1, times one. */
  private static float[][] product(DType dtype, int[] offsets, int[] rows) {
    long count = MatmulPack.packedCount(dtype, SIZE, SIZE);
    byte[] packed = new byte[(int) (EXPERTS * count * dtype.bytes())];
    byte[] x = new byte[2 * SIZE * dtype.bytes()];
    for (int e = 0; e < EXPERTS; e++) {
      for (int i = 0; i < SIZE; i++) {
        put(packed, dtype, e * count + MatmulPack.place(dtype, i, i, SIZE), e + 1);
      }
    }
    for (int i = 0; i < 2 * SIZE; i++) {
      put(x, dtype, i, 1 + i / SIZE);
    }
    float[] y = new float[PLACES * SIZE];
    Arrays.fill(y, UNWRITTEN);
    try (Buffer xs = buffer(MemorySegment.ofArray(x));
        Buffer weights = buffer(MemorySegment.ofArray(packed));
        Buffer begins = buffer(MemorySegment.ofArray(offsets));
        Buffer tokens = buffer(MemorySegment.ofArray(rows));
        Buffer results = buffer(MemorySegment.ofArray(y))) {
      CUDA.kernels()
          .run(
              new GroupedMatmul(
                  Operand.of(xs, dtype, 2, SIZE),
                  Operand.of(tokens, DType.I32, PLACES),
                  Operand.of(begins, DType.I32, EXPERTS + 1),
                  Operand.of(weights, dtype, EXPERTS * count),
                  null,
                  Activation.NONE,
                  Operand.of(results, DType.F32, PLACES, SIZE)));
      CUDA.memory().read(results, 0, MemorySegment.ofArray(y));
    }
    float[][] of = new float[PLACES][];
    Arrays.setAll(of, p -> Arrays.copyOfRange(y, p * SIZE, (p + 1) * SIZE));
    return of;
  }

  private static void put(byte[] bytes, DType dtype, long place, float value) {
    int bits = Float.floatToRawIntBits(value);
    int size = dtype.bytes();
    for (int i = 0; i < size; i++) {
      bits = size == 2 && i == 0 ? bits >>> 16 : bits;
      bytes[(int) place * size + i] = (byte) (bits >>> 8 * i);
    }
  }

  private static Buffer buffer(MemorySegment values) {
    Buffer buffer = CUDA.memory().allocate(values.byteSize());
    CUDA.memory().write(values, buffer, 0);
    return buffer;
  }

  private static void all(float expected, float[] row) {
    float[] wanted = new float[row.length];
    Arrays.fill(wanted, expected);
    assertArrayEquals(wanted, row);
  }

  @Test
  void a_row_that_is_none_counts_as_zeros() {
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      float[][] y =
          product(dtype, new int[] {0, 2, 2, 5}, new int[] {1, 2, -1, 0, Integer.MIN_VALUE, 0});
      all(2, y[0]);
      all(0, y[1]);
      all(0, y[2]);
      all(3, y[3]);
      all(0, y[4]);
      all(UNWRITTEN, y[5]);
    }
  }

  @Test
  void offsets_are_cut_to_the_places() {
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      int[] rows = {0, 0, 0, 0, 1, 1};
      float[][] y = product(dtype, new int[] {-9, 4, Integer.MAX_VALUE, 100}, rows);
      all(1, y[0]);
      all(1, y[3]);
      all(4, y[4]);
      all(4, y[5]);
      all(UNWRITTEN, product(dtype, new int[] {8, 8, 7, -1}, rows)[0]);
    }
  }

  @Test
  void a_place_that_is_none_adds_nothing() {
    float[] y = new float[2 * SIZE];
    try (Buffer x = buffer(MemorySegment.ofArray(ones(3 * SIZE)));
        Buffer weights = buffer(MemorySegment.ofArray(ones(4)));
        Buffer places = buffer(MemorySegment.ofArray(new int[] {2, 3, -2, Integer.MIN_VALUE}));
        Buffer results = buffer(MemorySegment.ofArray(y))) {
      CUDA.kernels()
          .run(
              new ExpertCombine(
                  Operand.of(x, DType.F32, 3, SIZE),
                  Operand.of(weights, DType.F32, 2, 2),
                  Operand.of(places, DType.I32, 2, 2),
                  null,
                  Operand.of(results, DType.F32, 2, SIZE)));
      CUDA.memory().read(results, 0, MemorySegment.ofArray(y));
    }
    all(1, Arrays.copyOf(y, SIZE));
    all(0, Arrays.copyOfRange(y, SIZE, 2 * SIZE));
    assertEquals(0, CUDA.memory().allocatedBytes());
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }
}
