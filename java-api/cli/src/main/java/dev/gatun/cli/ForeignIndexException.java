package dev.gatun.cli;

import java.io.IOException;

/** The file is something else than an index. */
final class ForeignIndexException extends IOException {
  private static final long serialVersionUID = 1L;

  ForeignIndexException() {
    super("not a Gatun index");
  }
}
