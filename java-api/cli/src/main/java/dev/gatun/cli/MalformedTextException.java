package dev.gatun.cli;

import java.io.IOException;

/** Text that is not UTF-8. */
final class MalformedTextException extends IOException {
  private static final long serialVersionUID = 1L;

  MalformedTextException(String source, long offset, byte found) {
    super("%s: not UTF-8: byte 0x%02x at offset %d".formatted(source, found & 0xff, offset));
  }
}
