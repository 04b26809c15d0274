package dev.gatun.weights;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Parts of mapped files, each read to the same memory, which stays in caches. */
final class FileParts implements AutoCloseable {
  /** Bytes of a part: long enough for all threads. */
  static final long BYTES = 4L << 20;

  private Arena arena;
  private MemorySegment room;

  /** {@return the same bytes as memory that is mapped; valid until the next call} */
  MemorySegment read(MemorySegment part) {
    if (!part.isMapped() || part.byteSize() > BYTES) {
      return part;
    }
    if (arena == null) {
      arena = Arena.ofShared();
      room = arena.allocate(BYTES, 64);
    }
    MemorySegment read = room.asSlice(0, part.byteSize());
    return OpenFiles.read(part, read) ? read : part;
  }

  /** Copies memory, which may be mapped, and gives its pages back. */
  static void copy(MemorySegment from, MemorySegment to) {
    if (!from.isMapped() || !OpenFiles.read(from, to)) {
      to.copyFrom(from);
      release(from);
    }
  }

  /** Gives the pages of a mapped file back to the system, which reads them again when asked. */
  static void release(MemorySegment rows) {
    if (rows.isMapped()) {
      rows.unload();
    }
  }

  @Override
  public void close() {
    if (arena != null) {
      arena.close();
      arena = null;
    }
  }
}
