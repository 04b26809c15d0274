package dev.gatun.files;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** What git leaves in place of a large file where git-lfs has not fetched it. */
public final class LfsPointer {
  /** No pointer is longer, by its specification. */
  public static final int MOST_BYTES = 1024;

  private static final byte[] BEGINNING =
      "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

  private LfsPointer() {}

  /** Whether a file whose bytes begin so is a pointer. */
  public static boolean is(byte[] beginning) {
    return beginning.length >= BEGINNING.length
        && Arrays.equals(beginning, 0, BEGINNING.length, BEGINNING, 0, BEGINNING.length);
  }

  /** What a message says of one. */
  public static String told(Path file) {
    return file
        + ": a pointer of git-lfs, not the file that it stands for: git lfs pull fetches that";
  }
}
