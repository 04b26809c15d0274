package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Casts of every BF16 and F16, and of floats at and beside every boundary between two of them. */
final class CastEveryHalfTest {
  private static final int ALL = 1 << 16;

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"BF16", "F16"})
  void each_half_is_its_number(DType dtype) {
    short[] halves = new short[ALL];
    for (int i = 0; i < ALL; i++) {
      halves[i] = (short) i;
    }
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      MemorySegment wide = MemorySegment.ofArray(new float[ALL]);
      cast(MemorySegment.ofArray(halves), dtype, wide, DType.F32, ALL);
      for (int i = 0; i < ALL; i++) {
        same(value(dtype, (short) i), wide.getAtIndex(ValueLayout.JAVA_FLOAT, i), level, i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"BF16", "F16"})
  void floats_round_to_the_nearest_half_and_halfway_to_even(DType dtype) {
    float[] floats = floats(dtype);
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      MemorySegment narrow = MemorySegment.ofArray(new short[floats.length]);
      cast(MemorySegment.ofArray(floats), DType.F32, narrow, dtype, floats.length);
      for (int i = 0; i < floats.length; i++) {
        short got = narrow.getAtIndex(ValueLayout.JAVA_SHORT, i);
        same(value(dtype, rounded(dtype, floats[i])), value(dtype, got), level, floats[i]);
      }
    }
  }

  /** Every boundary and the floats beside it, and floats of random bits. */
  private static float[] floats(DType dtype) {
    Random random = new Random(1);
    float[] beside = new float[3 * ALL + 100_000];
    for (int i = 0; i < ALL; i++) {
      float low = value(dtype, (short) i);
      float high = value(dtype, (short) (i + 1));
      // Beyond the largest number the boundary is where the next one would be.
      float middle =
          Float.isInfinite(high) && !Float.isInfinite(low)
              ? (float) (low + (low - (double) value(dtype, (short) (i - 1))) / 2)
              : (float) (((double) low + high) / 2);
      beside[3 * i] = middle;
      beside[3 * i + 1] = Math.nextUp(middle);
      beside[3 * i + 2] = Math.nextDown(middle);
    }
    IntStream.range(3 * ALL, beside.length)
        .forEach(i -> beside[i] = Float.intBitsToFloat(random.nextInt()));
    return beside;
  }

  private static float value(DType dtype, short half) {
    return dtype == DType.F16 ? Float.float16ToFloat(half) : Float.intBitsToFloat(half << 16);
  }

  private static short rounded(DType dtype, float x) {
    if (dtype == DType.F16) {
      return Float.floatToFloat16(x);
    }
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return (short) (bits >> 16 | 0x40);
    }
    // The two neighbours, compared in double.
    short down = (short) (bits >> 16);
    short up = (short) (down + 1);
    double low = Math.abs(x - (double) value(DType.BF16, down));
    float above = value(DType.BF16, up);
    double next = Float.isInfinite(above) ? Math.copySign(0x1p128, above) : above;
    double high = Math.abs(next - x);
    if (Float.isInfinite(x)) {
      return down;
    }
    return low < high || (low == high && (down & 1) == 0) ? down : up;
  }

  private static void same(float expected, float got, CpuLevel level, float of) {
    // NaN is NaN, of whatever bits.
    if (Float.floatToIntBits(expected) != Float.floatToIntBits(got)) {
      assertEquals(expected, got, level + ": " + Float.toHexString(of));
    }
  }

  private static void cast(
      MemorySegment from, DType fromType, MemorySegment to, DType toType, int count) {
    try (Buffer x = Subjects.CPU.memory().allocate((long) count * fromType.bytes());
        Buffer y = Subjects.CPU.memory().allocate((long) count * toType.bytes())) {
      Subjects.CPU.memory().write(from, x, 0);
      Subjects.CPU
          .kernels()
          .run(new Cast(Operand.of(x, fromType, 1, count), Operand.of(y, toType, 1, count)));
      Subjects.CPU.memory().read(y, 0, to);
    }
  }
}
