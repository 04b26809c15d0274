package dev.gatun.onnx;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads a mapped file as a stream. Protobuf's reader copies a buffer that is not on the heap whole;
 * of a stream it holds a few kilobytes and skips the rest.
 */
final class MappedInput extends InputStream {
  private final MemorySegment file;
  private long at;

  MappedInput(MemorySegment file) {
    this.file = file;
  }

  @Override
  public int read() {
    return at == file.byteSize() ? -1 : file.get(ValueLayout.JAVA_BYTE, at++) & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) {
    int count = (int) Math.min(length, file.byteSize() - at);
    if (count == 0 && length > 0) {
      return -1;
    }
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at, to, offset, count);
    at += count;
    return count;
  }

  @Override
  public long skip(long count) {
    long skipped = Math.clamp(count, 0, file.byteSize() - at);
    at += skipped;
    return skipped;
  }
}
