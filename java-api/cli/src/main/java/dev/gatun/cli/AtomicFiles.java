package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Files that are there whole or not at all. */
final class AtomicFiles {
  private AtomicFiles() {}

  /** What fills a file. */
  interface Filling {
    void fill(Path file) throws IOException;
  }

  /** Puts another file in place of one; a reader sees the one or the other. */
  static void replace(Path file, Filling filling) throws IOException {
    Path target = file.toAbsolutePath();
    Path part = Files.createTempFile(target.getParent(), target.getFileName() + ".", ".part");
    try {
      filling.fill(part);
      move(part, target);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Renames, over what is there. */
  static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
