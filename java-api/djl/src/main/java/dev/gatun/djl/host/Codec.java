package dev.gatun.djl.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import ai.djl.ndarray.types.DataType;
import java.lang.foreign.MemorySegment;

/**
 * How elements of each type lie in memory. Loops compute in double or in long and round when they
 * write; a double that becomes a whole number loses its fraction, and one that becomes boolean says
 * whether it is not 0.
 */
enum Codec {
  FLOAT64(8) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_DOUBLE_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return (long) m.get(JAVA_DOUBLE_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_DOUBLE_UNALIGNED, at, value);
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_DOUBLE_UNALIGNED, at, value);
    }

    @Override
    void read(MemorySegment m, long at, long step, double[] target, int count) {
      if (step == Double.BYTES) {
        MemorySegment.copy(m, JAVA_DOUBLE_UNALIGNED, at, target, 0, count);
      } else {
        super.read(m, at, step, target, count);
      }
    }

    @Override
    void write(MemorySegment m, long at, long step, double[] source, int count) {
      if (step == Double.BYTES) {
        MemorySegment.copy(source, 0, m, JAVA_DOUBLE_UNALIGNED, at, count);
      } else {
        super.write(m, at, step, source, count);
      }
    }
  },
  FLOAT32(4) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_FLOAT_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return (long) m.get(JAVA_FLOAT_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_FLOAT_UNALIGNED, at, (float) value);
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_FLOAT_UNALIGNED, at, value);
    }

    @Override
    void read(MemorySegment m, long at, long step, double[] target, int count) {
      if (step == Float.BYTES) {
        for (int i = 0; i < count; i++) {
          target[i] = m.get(JAVA_FLOAT_UNALIGNED, at + (long) Float.BYTES * i);
        }
        return;
      }
      for (int i = 0; i < count; i++) {
        target[i] = m.get(JAVA_FLOAT_UNALIGNED, at + i * step);
      }
    }

    @Override
    void write(MemorySegment m, long at, long step, double[] source, int count) {
      for (int i = 0; i < count; i++) {
        m.set(JAVA_FLOAT_UNALIGNED, at + i * step, (float) source[i]);
      }
    }
  },
  FLOAT16(2) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return Float.float16ToFloat(m.get(JAVA_SHORT_UNALIGNED, at));
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return (long) toDouble(m, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float) value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
    }
  },
  BFLOAT16(2) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return Float.intBitsToFloat(m.get(JAVA_SHORT_UNALIGNED, at) << 16);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return (long) toDouble(m, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      int bits = Float.floatToRawIntBits((float) value);
      int rounded = Double.isNaN(value) ? 0x7fc0 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
      m.set(JAVA_SHORT_UNALIGNED, at, (short) rounded);
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      put(m, at, (double) (float) value);
    }
  },
  INT64(8) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_LONG_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return m.get(JAVA_LONG_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_LONG_UNALIGNED, at, whole(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_LONG_UNALIGNED, at, value);
    }

    @Override
    void read(MemorySegment m, long at, long step, long[] target, int count) {
      if (step == Long.BYTES) {
        MemorySegment.copy(m, JAVA_LONG_UNALIGNED, at, target, 0, count);
      } else {
        super.read(m, at, step, target, count);
      }
    }

    @Override
    void write(MemorySegment m, long at, long step, long[] source, int count) {
      if (step == Long.BYTES) {
        MemorySegment.copy(source, 0, m, JAVA_LONG_UNALIGNED, at, count);
      } else {
        super.write(m, at, step, source, count);
      }
    }
  },
  INT32(4) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_INT_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return m.get(JAVA_INT_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_INT_UNALIGNED, at, narrow(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_INT_UNALIGNED, at, (int) value);
    }

    @Override
    void read(MemorySegment m, long at, long step, long[] target, int count) {
      for (int i = 0; i < count; i++) {
        target[i] = m.get(JAVA_INT_UNALIGNED, at + i * step);
      }
    }

    @Override
    void write(MemorySegment m, long at, long step, long[] source, int count) {
      for (int i = 0; i < count; i++) {
        m.set(JAVA_INT_UNALIGNED, at + i * step, (int) source[i]);
      }
    }
  },
  UINT32(4) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return toLong(m, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return Integer.toUnsignedLong(m.get(JAVA_INT_UNALIGNED, at));
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_INT_UNALIGNED, at, (int) (long) value);
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_INT_UNALIGNED, at, (int) value);
    }
  },
  INT16(2) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_SHORT_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return m.get(JAVA_SHORT_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_SHORT_UNALIGNED, at, (short) narrow(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_SHORT_UNALIGNED, at, (short) value);
    }
  },
  UINT16(2) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return toLong(m, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return Short.toUnsignedLong(m.get(JAVA_SHORT_UNALIGNED, at));
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_SHORT_UNALIGNED, at, (short) narrow(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_SHORT_UNALIGNED, at, (short) value);
    }
  },
  INT8(1) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_BYTE, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return m.get(JAVA_BYTE, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_BYTE, at, (byte) narrow(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_BYTE, at, (byte) value);
    }
  },
  UINT8(1) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return toLong(m, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return Byte.toUnsignedLong(m.get(JAVA_BYTE, at));
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_BYTE, at, (byte) narrow(value));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_BYTE, at, (byte) value);
    }
  },
  BOOLEAN(1) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return toLong(m, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return m.get(JAVA_BYTE, at) == 0 ? 0 : 1;
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      // NaN is not 0 either.
      m.set(JAVA_BYTE, at, (byte) (value == 0 ? 0 : 1));
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      m.set(JAVA_BYTE, at, (byte) (value == 0 ? 0 : 1));
    }

    @Override
    void read(MemorySegment m, long at, long step, long[] target, int count) {
      for (int i = 0; i < count; i++) {
        target[i] = m.get(JAVA_BYTE, at + i * step) == 0 ? 0 : 1;
      }
    }

    @Override
    void write(MemorySegment m, long at, long step, long[] source, int count) {
      for (int i = 0; i < count; i++) {
        m.set(JAVA_BYTE, at + i * step, (byte) (source[i] == 0 ? 0 : 1));
      }
    }
  },
  /** The real part alone is read as a number; a number has an imaginary part of 0. */
  COMPLEX64(8) {
    @Override
    double toDouble(MemorySegment m, long at) {
      return m.get(JAVA_FLOAT_UNALIGNED, at);
    }

    @Override
    long toLong(MemorySegment m, long at) {
      return (long) m.get(JAVA_FLOAT_UNALIGNED, at);
    }

    @Override
    void put(MemorySegment m, long at, double value) {
      m.set(JAVA_FLOAT_UNALIGNED, at, (float) value);
      m.set(JAVA_FLOAT_UNALIGNED, at + 4, 0);
    }

    @Override
    void put(MemorySegment m, long at, long value) {
      put(m, at, (double) value);
    }
  };

  private static final Codec[] BY_TYPE = new Codec[DataType.values().length];

  static {
    for (Codec codec : values()) {
      BY_TYPE[DataType.valueOf(codec.name()).ordinal()] = codec;
    }
    BY_TYPE[DataType.UINT64.ordinal()] = INT64;
  }

  /** Without its fraction; what INT64 lacks is its least number, as on x86-64. */
  private static long whole(double value) {
    return value >= -0x1p63 && value < 0x1p63 ? (long) value : Long.MIN_VALUE;
  }

  /** The same of INT32, of which types of fewer bits keep the lower ones. */
  private static int narrow(double value) {
    return value > -0x1p31 - 1 && value < 0x1p31 ? (int) value : Integer.MIN_VALUE;
  }

  private final int bytes;

  Codec(int bytes) {
    this.bytes = bytes;
  }

  /** How a type lies in memory; numbers of UINT64 are taken as those of INT64. */
  static Codec of(DataType type) {
    Codec codec = BY_TYPE[type.ordinal()];
    if (codec == null) {
      throw Refusal.unsupported("arrays of " + type);
    }
    return codec;
  }

  /** The bytes of an element. */
  int bytes() {
    return bytes;
  }

  /** The numbers that an element is made of. */
  int parts() {
    return this == COMPLEX64 ? 2 : 1;
  }

  abstract double toDouble(MemorySegment m, long at);

  abstract long toLong(MemorySegment m, long at);

  abstract void put(MemorySegment m, long at, double value);

  abstract void put(MemorySegment m, long at, long value);

  /** Reads a row of elements, {@code step} bytes from one to the next. */
  void read(MemorySegment m, long at, long step, double[] target, int count) {
    for (int i = 0; i < count; i++) {
      target[i] = toDouble(m, at + i * step);
    }
  }

  void read(MemorySegment m, long at, long step, long[] target, int count) {
    for (int i = 0; i < count; i++) {
      target[i] = toLong(m, at + i * step);
    }
  }

  void write(MemorySegment m, long at, long step, double[] source, int count) {
    for (int i = 0; i < count; i++) {
      put(m, at + i * step, source[i]);
    }
  }

  void write(MemorySegment m, long at, long step, long[] source, int count) {
    for (int i = 0; i < count; i++) {
      put(m, at + i * step, source[i]);
    }
  }
}
