package dev.gatun.weights.gguf;

import dev.gatun.weights.WeightsException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Reads a mapped file from its begin on; what it lacks is told with the place. */
final class GgufCursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment file;
  private final String source;
  private long at;

  GgufCursor(MemorySegment file, String source) {
    this.file = file;
    this.source = source;
  }

  /** The byte that is read next, counted from the begin of the file. */
  long at() {
    return at;
  }

  int readInt(String what) {
    return skip(Integer.BYTES, what).get(INT, 0);
  }

  /** An unsigned number of 64 bits, which no count or length of a file can be that is negative. */
  long readCount(String what) {
    long begin = at;
    long count = skip(Long.BYTES, what).get(LONG, 0);
    if (count < 0) {
      throw fail(begin, "%s is %s, more than a file holds", what, Long.toUnsignedString(count));
    }
    return count;
  }

  /** The bytes of a text: its length in eight bytes, then itself in UTF-8. */
  MemorySegment readText(String what) {
    long begin = at;
    long length = readCount("the length of " + what);
    if (length > file.byteSize() - at) {
      throw fail(
          begin,
          "%s has a length of %d bytes but only %d follow: cut off or damaged?",
          what,
          length,
          file.byteSize() - at);
    }
    return skip(length, what);
  }

  /** A text of at most so many bytes. */
  String readName(String what, long most) {
    long begin = at;
    MemorySegment text = readText(what);
    if (text.byteSize() == 0 || text.byteSize() > most) {
      throw fail(begin, "%s has %d bytes, expected 1 to %d", what, text.byteSize(), most);
    }
    return text(text);
  }

  /** The next bytes, which are read past. */
  MemorySegment skip(long bytes, String what) {
    if (bytes > file.byteSize() - at) {
      throw fail(
          at, "%s takes %d bytes but only %d follow: cut off?", what, bytes, file.byteSize() - at);
    }
    MemorySegment skipped = file.asSlice(at, bytes);
    at += bytes;
    return skipped;
  }

  /** The bytes that were read since a place. */
  MemorySegment since(long first) {
    return file.asSlice(first, at - first);
  }

  static String text(MemorySegment bytes) {
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  WeightsException fail(long place, String format, Object... args) {
    return new WeightsException(
        "%s: byte %d: %s".formatted(source, place, String.format(Locale.ROOT, format, args)));
  }
}
