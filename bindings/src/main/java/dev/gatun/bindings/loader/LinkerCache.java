package dev.gatun.bindings.loader;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The dynamic linker's cache, {@code /etc/ld.so.cache}: where libraries are that {@code ldconfig
 * -p} lists. Its format is that of glibc 2.2 and later ({@code sysdeps/generic/dl-cache.h}).
 */
public final class LinkerCache {
  /** Where glibc keeps it. */
  public static final Path FILE = Path.of("/etc/ld.so.cache");

  private static final byte[] MAGIC = "glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_BYTES = 48;
  private static final int ENTRY_BYTES = 24;

  private LinkerCache() {}

  /**
   * The files of a name, in the cache's order.
   *
   * @param cache the cache's file; one that is not there, or of another format, names nothing
   * @param name the library's, as {@code libcuda.so.1}
   */
  public static List<Path> find(Path cache, String name) {
    try {
      return find(Files.readAllBytes(cache), name);
    } catch (IOException | IndexOutOfBoundsException | BufferUnderflowException e) {
      return List.of();
    }
  }

  private static List<Path> find(byte[] bytes, String name) {
    int start = start(bytes);
    List<Path> files = new ArrayList<>();
    if (start < 0) {
      return files;
    }
    ByteBuffer cache = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int count = cache.getInt(start + MAGIC.length);
    for (int i = 0; i < count; i++) {
      int entry = start + HEADER_BYTES + i * ENTRY_BYTES;
      if (string(bytes, start + cache.getInt(entry + 4)).equals(name)) {
        files.add(Path.of(string(bytes, start + cache.getInt(entry + 8))));
      }
    }
    return files;
  }

  /** Behind the entries of an older format, where there are any; -1 where there is none. */
  private static int start(byte[] bytes) {
    for (int start = 0; start + HEADER_BYTES <= bytes.length; start += 4) {
      int i = 0;
      while (i < MAGIC.length && bytes[start + i] == MAGIC[i]) {
        i++;
      }
      if (i == MAGIC.length) {
        return start;
      }
    }
    return -1;
  }

  private static String string(byte[] bytes, int start) {
    int end = start;
    while (bytes[end] != 0) {
      end++;
    }
    return new String(bytes, start, end - start, StandardCharsets.UTF_8);
  }
}
