package dev.gatun.kernels.reference;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The elements of an operand as numbers; places are elements from the operand's first. */
final class View {
  private final MemorySegment segment;
  // The F32s as doubles, where the backend keeps them; else null.
  private final MemorySegment doubles;
  private final DType dtype;
  private final long first;

  private View(Operand operand) {
    this.segment = segment(operand.buffer());
    this.doubles = ((ReferenceBuffer) operand.buffer()).doubles();
    this.dtype = operand.dtype();
    this.first = operand.offset();
  }

  /** The view of an operand, or null of null. */
  static View of(Operand operand) {
    return operand == null ? null : new View(operand);
  }

  /** The memory of a buffer of this backend. */
  static MemorySegment segment(Buffer buffer) {
    return ((ReferenceBuffer) buffer).segment();
  }

  /** The memory of indices from the first one on. */
  static MemorySegment ids(Operand ids) {
    return segment(ids.buffer()).asSlice(Math.min(ids.byteOffset(), ids.buffer().byteSize()));
  }

  /** Where each sequence begins, and behind the last where it ends. */
  static int[] offsets(KernelCall call, Offsets offsets) {
    return offsets.check(call.kernel(), ids(offsets.values()));
  }

  /** As {@link Execution#inRange}, of indices of which nothing is known. */
  static void inRange(KernelCall call, String what, Indices ids, long limit, Long exception) {
    if (ids.isUnknown()) {
      Execution.inRange(call, what, ids(ids.values()), ids.values().size(0), limit, exception);
    }
  }

  /** Where the i-th element of an operand's row-major order lies, in elements from the first. */
  static long place(Operand operand, long i) {
    long place = 0;
    long rest = i;
    for (int axis = operand.rank() - 1; axis >= 0; axis--) {
      place += rest % operand.size(axis) * operand.stride(axis);
      rest /= operand.size(axis);
    }
    return place;
  }

  static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Rounds to nearest even; a NaN stays one. */
  static short floatToBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    return (short) (Float.isNaN(x) ? bits >>> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /** A number as a tensor of a floating-point type keeps it. */
  static double rounded(double x, DType dtype) {
    return switch (dtype) {
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) x));
      case BF16 -> bf16ToFloat(floatToBf16((float) x));
      default -> (float) x;
    };
  }

  double get(long place) {
    long at = (first + place) * dtype.bytes();
    return switch (dtype) {
      case F64 -> segment.get(JAVA_DOUBLE_UNALIGNED, at);
      case F32 ->
          doubles == null
              ? segment.get(JAVA_FLOAT_UNALIGNED, at)
              : doubles.get(JAVA_DOUBLE_UNALIGNED, 2 * at);
      case F16 -> Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, at));
      case BF16 -> bf16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, at));
      default -> getLong(place);
    };
  }

  long getLong(long place) {
    long at = (first + place) * dtype.bytes();
    return switch (dtype) {
      case I64 -> segment.get(JAVA_LONG_UNALIGNED, at);
      case I32 -> segment.get(ValueLayout.JAVA_INT_UNALIGNED, at);
      case I16 -> segment.get(JAVA_SHORT_UNALIGNED, at);
      case I8 -> segment.get(ValueLayout.JAVA_BYTE, at);
      case U8, BOOL -> segment.get(ValueLayout.JAVA_BYTE, at) & 0xff;
      default -> throw new IllegalStateException(dtype + " is no integer type");
    };
  }

  void set(long place, double value) {
    long at = (first + place) * dtype.bytes();
    switch (dtype) {
      case F64 -> segment.set(JAVA_DOUBLE_UNALIGNED, at, value);
      case F32 -> {
        segment.set(JAVA_FLOAT_UNALIGNED, at, (float) value);
        if (doubles != null) {
          doubles.set(JAVA_DOUBLE_UNALIGNED, 2 * at, value);
        }
      }
      case F16 -> segment.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float) value));
      case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, at, floatToBf16((float) value));
      default -> throw new IllegalStateException("no kernel writes " + dtype);
    }
  }

  /** Sets an element of any type to a number, rounded to nearest even where that is whole. */
  void setRounded(long place, double value) {
    long whole = (long) Math.rint(value);
    switch (dtype) {
      case F64, F32, F16, BF16 -> set(place, value);
      case I64 -> setLong(place, whole);
      case I32 -> setLong(place, (int) Math.rint(value));
      case I8 -> setLong(place, Math.clamp(whole, Byte.MIN_VALUE, Byte.MAX_VALUE));
      case U8 ->
          segment.set(ValueLayout.JAVA_BYTE, first + place, (byte) Math.clamp(whole, 0, 255));
      default -> throw new IllegalStateException("no kernel writes " + dtype);
    }
  }

  /** Sets an element of whole numbers to one modulo 2 to the power of the type's bits. */
  void setWrapped(long place, long value) {
    switch (dtype) {
      case I32 -> setLong(place, (int) value);
      case U8 -> segment.set(ValueLayout.JAVA_BYTE, first + place, (byte) value);
      default -> setLong(place, value);
    }
  }

  void setLong(long place, long value) {
    long at = (first + place) * dtype.bytes();
    switch (dtype) {
      case I64 -> segment.set(JAVA_LONG_UNALIGNED, at, value);
      case I32 -> segment.set(ValueLayout.JAVA_INT_UNALIGNED, at, Math.toIntExact(value));
      case I8, BOOL -> segment.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      default -> throw new IllegalStateException("no kernel writes whole numbers as " + dtype);
    }
  }

  /** The elements from a place on, neighbours in memory. */
  double[] row(long place, long count) {
    double[] row = new double[Math.toIntExact(count)];
    for (int i = 0; i < row.length; i++) {
      row[i] = get(place + i);
    }
    return row;
  }

  void setRow(long place, double[] row) {
    for (int i = 0; i < row.length; i++) {
      set(place + i, row[i]);
    }
  }
}
