package dev.gatun.cli;

import java.io.IOException;

/** The file was an index and has lost something. */
final class DamagedIndexException extends IOException {
  private static final long serialVersionUID = 1L;

  DamagedIndexException(String message) {
    super(message);
  }
}
