package dev.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Bytes as text, strictly and a part at a time; a byte order mark in front is dropped. Reading
 * throws {@link MalformedTextException} with the source and the offset of the first wrong byte.
 */
final class Utf8Reader extends Reader {
  private static final int PART_BYTES = 1 << 16;
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final String source;
  private final InputStream in;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private final ByteBuffer bytes = ByteBuffer.allocate(PART_BYTES).flip();
  private final CharBuffer chars = CharBuffer.allocate(PART_BYTES).flip();
  private long offset;
  private boolean begun;
  private boolean ended;

  /**
   * A reader of a stream, which it closes with itself.
   *
   * @param source the stream's name in messages
   */
  Utf8Reader(String source, InputStream in) {
    this.source = source;
    this.in = in;
  }

  /** How many bytes became text so far. */
  long offset() {
    return offset;
  }

  @Override
  public int read(char[] to, int at, int length) throws IOException {
    if (!chars.hasRemaining() && !fill()) {
      return -1;
    }
    int count = Math.min(length, chars.remaining());
    chars.get(to, at, count);
    return count;
  }

  private boolean fill() throws IOException {
    chars.clear();
    while (true) {
      int before = bytes.position();
      CoderResult result = decoder.decode(bytes, chars, ended);
      offset += bytes.position() - before;
      if (result.isError()) {
        throw new MalformedTextException(source, offset, bytes.get(bytes.position()));
      }
      if (!begun && chars.position() > 0) {
        begun = true;
        if (chars.get(0) == BYTE_ORDER_MARK) {
          chars.flip().position(1);
          chars.compact();
        }
      }
      if (chars.position() > 0 || ended) {
        chars.flip();
        return chars.hasRemaining();
      }
      bytes.compact();
      int count = in.read(bytes.array(), bytes.position(), bytes.remaining());
      ended = count < 0;
      bytes.position(bytes.position() + Math.max(count, 0)).flip();
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
