package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Functions of mathematics of floats of every size, by their units in the last place: the contract
 * alone would let small results err as much as the largest.
 */
final class UnaryAccuracyTest {
  private static final int MOST_ULPS = 1;

  /**
   * Of mpmath with 80 digits: a function, a float, and the float nearest to what it makes of it.
   */
  private static final String[] KNOWN = {
    "RSQRT 0x1.c000000000000p+2 0x1.83091e0000000p-2",
    "CBRT -0x1.99999a0000000p-4 -0x1.db4c780000000p-2",
    "EXP -0x1.5e00000000000p+6 0x1.b2caf00000000p-127",
    "EXP 0x1.6666660000000p-1 0x1.01c2a60000000p+1",
    "EXPM1 0x1.0c6f7a0000000p-20 0x1.0c6f820000000p-20",
    "EXPM1 -0x1.0000000000000p+1 -0x1.bab5560000000p-1",
    "LOG 0x1.fae1480000000p-1 -0x1.4954400000000p-7",
    "LOG 0x1.6500000000000p-140 -0x1.82d50a0000000p+6",
    "LOG1P 0x1.ad7f2a0000000p-24 0x1.ad7f280000000p-24",
    "LOG1P -0x1.cccccc0000000p-1 -0x1.26bb1a0000000p+1",
    "LOG2 0x1.4000000000000p+3 0x1.a934f00000000p+1",
    "LOG10 0x1.3333340000000p-2 -0x1.0bb6c20000000p-1",
    "SIN 0x1.86a0000000000p+16 0x1.24daaa0000000p-5",
    "SIN 0x1.921fb60000000p+1 -0x1.777a5c0000000p-24",
    "SIN 0x1.f37c8a0000000p+95 0x1.0000000000000p+0",
    "COS 0x1.921fb60000000p+0 -0x1.777a5c0000000p-25",
    "COS 0x1.c363cc0000000p+127 -0x1.efeaf80000000p-2",
    "TAN 0x1.f37c8a0000000p+95 -0x1.274c1c0000000p+29",
    "TAN 0x1.8000000000000p+0 0x1.c33ed60000000p+3",
    "ASIN 0x1.ff7cee0000000p-1 0x1.86aca00000000p+0",
    "ASIN -0x1.4f8b580000000p-17 -0x1.4f8b580000000p-17",
    "ACOS 0x1.fff2e40000000p-1 0x1.cf73aa0000000p-7",
    "ACOS -0x1.0000000000000p-1 0x1.0c15240000000p+1",
    "ATAN 0x1.99999a0000000p-2 0x1.85a3780000000p-2",
    "ATAN -0x1.e000000000000p+4 -0x1.8997fc0000000p+0",
    "SINH 0x1.a36e2e0000000p-14 0x1.a36e2e0000000p-14",
    "SINH 0x1.64cccc0000000p+6 0x1.9c8a760000000p+127",
    "COSH -0x1.8000000000000p+1 0x1.422a4a0000000p+3",
    "ASINH -0x1.0624de0000000p-10 -0x1.0624dc0000000p-10",
    "ASINH 0x1.158e460000000p+64 0x1.6915520000000p+5",
    "ACOSH 0x1.00068e0000000p+0 0x1.cf71b00000000p-7",
    "ACOSH 0x1.93e5940000000p+99 0x1.1715320000000p+6",
    "ATANH 0x1.0624de0000000p-10 0x1.0624e40000000p-10",
    "ATANH -0x1.fff2e40000000p-1 -0x1.3ce79a0000000p+2",
    "ERF 0x1.4f8b580000000p-17 0x1.7a9f080000000p-17",
    "ERF -0x1.99999a0000000p-1 -0x1.7bf4a80000000p-1",
    "ERF 0x1.3333340000000p+0 0x1.d214ac0000000p-1",
    "ERF 0x1.d9999a0000000p+1 0x1.fffffa0000000p-1"
  };

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  @ParameterizedTest
  @EnumSource(UnaryOp.class)
  void every_size_is_within_a_unit_in_the_last_place(UnaryOp op) {
    float[] x = floats();
    float[] right = run(Subjects.EXACT, op, x);
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      float[] got = run(Subjects.CPU, op, x);
      for (int i = 0; i < x.length; i++) {
        if (ulps(right[i], got[i]) > MOST_ULPS || signBit(right[i]) != signBit(got[i])) {
          assertEquals(right[i], got[i], level + ": " + op + " of " + Float.toHexString(x[i]));
        }
      }
    }
  }

  @Test
  void known_values() {
    for (String known : KNOWN) {
      String[] part = known.split(" ");
      UnaryOp op = UnaryOp.valueOf(part[0]);
      float[] x = {Float.parseFloat(part[1])};
      float right = Float.parseFloat(part[2]);
      assertEquals(right, run(Subjects.EXACT, op, x)[0], known);
      for (CpuLevel level : Subjects.levels()) {
        Subjects.CPU.setLevel(level);
        float got = run(Subjects.CPU, op, x)[0];
        assertTrue(ulps(right, got) <= MOST_ULPS, level + ": " + known + ", got " + got);
      }
    }
  }

  /** Of each sign, exponent and the first bits behind it, one; and numbers beside whole ones. */
  private static float[] floats() {
    Random random = new Random(3);
    float[] floats = new float[(1 << 16) + 3 * 1000];
    for (int i = 0; i < 1 << 16; i++) {
      floats[i] = Float.intBitsToFloat(i << 16 | (i % 4 == 0 ? 0 : random.nextInt(1 << 16)));
    }
    for (int i = 0; i < 1000; i++) {
      float beside = random.nextInt(2001) / 2f - 500;
      floats[(1 << 16) + 3 * i] = beside;
      floats[(1 << 16) + 3 * i + 1] = Math.nextUp(beside);
      floats[(1 << 16) + 3 * i + 2] = (float) (beside * Math.PI);
    }
    return floats;
  }

  private static int signBit(float x) {
    return Float.isNaN(x) ? 0 : Float.floatToRawIntBits(x) >>> 31;
  }

  private static long ulps(float a, float b) {
    if (Float.isNaN(a) || Float.isNaN(b)) {
      return Float.isNaN(a) && Float.isNaN(b) ? 0 : Long.MAX_VALUE;
    }
    return Math.abs((long) Float.floatToRawIntBits(a) - Float.floatToRawIntBits(b));
  }

  private static float[] run(Backend backend, UnaryOp op, float... numbers) {
    long bytes = 4L * numbers.length;
    float[] result = new float[numbers.length];
    try (Buffer x = backend.memory().allocate(bytes);
        Buffer y = backend.memory().allocate(bytes)) {
      backend.memory().write(MemorySegment.ofArray(numbers), x, 0);
      backend
          .kernels()
          .run(
              new Unary(
                  Operand.of(x, DType.F32, numbers.length),
                  op,
                  Operand.of(y, DType.F32, numbers.length)));
      backend.memory().read(y, 0, MemorySegment.ofArray(result));
    }
    return result;
  }
}
