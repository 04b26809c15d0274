package dev.gatun.cli;

import java.util.List;

/**
 * What is kept of a file.
 *
 * @param path its absolute path
 * @param size its bytes when it was read
 * @param modified its time of modification then, in milliseconds
 * @param digest the SHA-256 of its bytes, as hexadecimal digits
 * @param passages its passages in order
 */
record IndexedFile(
    String path, long size, long modified, String digest, List<EmbeddedPassage> passages) {
  IndexedFile withModified(long time) {
    return new IndexedFile(path, size, time, digest, passages);
  }

  IndexedFile withPassages(List<EmbeddedPassage> embedded) {
    return new IndexedFile(path, size, modified, digest, embedded);
  }
}
