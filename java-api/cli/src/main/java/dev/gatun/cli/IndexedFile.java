package dev.gatun.cli;

/**
 * A file as it was when it was read.
 *
 * @param path its absolute path
 * @param size its bytes
 * @param modified its time of modification, in milliseconds
 * @param digest the SHA-256 of its bytes, as hexadecimal digits
 */
record IndexedFile(String path, long size, long modified, String digest) {
  IndexedFile withModified(long time) {
    return new IndexedFile(path, size, time, digest);
  }
}
