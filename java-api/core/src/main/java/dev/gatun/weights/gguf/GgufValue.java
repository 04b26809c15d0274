package dev.gatun.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** What a key of a file has; texts and arrays stay in the file until they are asked for. */
sealed interface GgufValue {
  /** The types of values, by their numbers in a file. */
  enum Type {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** The bytes of a value, or the least that one has. */
    int bytes() {
      return bytes;
    }

    boolean isInteger() {
      return switch (this) {
        case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
        default -> true;
      };
    }
  }

  /** A number or a boolean, as Long, Double or Boolean. */
  record Scalar(Type type, Object value) implements GgufValue {}

  /** A text in UTF-8. */
  record Text(MemorySegment bytes) implements GgufValue {
    String text() {
      return GgufCursor.text(bytes);
    }
  }

  /** Values of a type, checked to be within the file. */
  record Array(Type type, long count, MemorySegment bytes) implements GgufValue {
    /** The texts of an array of them. */
    List<String> texts() {
      List<String> texts = new ArrayList<>();
      GgufCursor cursor = new GgufCursor(bytes, "an array");
      for (long i = 0; i < count; i++) {
        texts.add(GgufCursor.text(cursor.readText("a text")));
      }
      return texts;
    }

    /** The value at a place of an array of numbers or booleans. */
    Object at(long i) {
      return read(type, bytes.asSlice(i * type.bytes(), type.bytes()));
    }
  }

  /** Reads a number or a boolean; one of 64 bits without a sign that is too large is negative. */
  static Object read(Type type, MemorySegment bytes) {
    return switch (type) {
      case UINT8 -> (long) bytes.get(ValueLayout.JAVA_BYTE, 0) & 0xff;
      case INT8 -> (long) bytes.get(ValueLayout.JAVA_BYTE, 0);
      case UINT16 -> (long) bytes.get(Layouts.SHORT, 0) & 0xffff;
      case INT16 -> (long) bytes.get(Layouts.SHORT, 0);
      case UINT32 -> bytes.get(Layouts.INT, 0) & 0xffffffffL;
      case INT32 -> (long) bytes.get(Layouts.INT, 0);
      case UINT64, INT64 -> bytes.get(Layouts.LONG, 0);
      case FLOAT32 -> (double) Float.intBitsToFloat(bytes.get(Layouts.INT, 0));
      case FLOAT64 -> Double.longBitsToDouble(bytes.get(Layouts.LONG, 0));
      case BOOL -> bytes.get(ValueLayout.JAVA_BYTE, 0) != 0;
      case STRING, ARRAY -> throw new IllegalArgumentException(type + " is no scalar");
    };
  }

  /** Little-endian at any place. */
  final class Layouts {
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
        ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Layouts() {}
  }
}
