package dev.gatun.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The files behind mapped memory, found by its addresses. What is read once, from begin to end, is
 * read from the file: a mapped page costs a fault when it is first touched, which takes longer than
 * to copy it, and memory behind the end of a file that was cut short ends the process.
 */
final class OpenFiles {
  private static final ConcurrentSkipListMap<Long, OpenFile> BY_ADDRESS =
      new ConcurrentSkipListMap<>();

  /** Bytes that a read asks for at most: a buffer has no more than an int's. */
  private static final long MOST = 1L << 30;

  private record OpenFile(MemorySegment memory, FileChannel channel, Path path) {}

  private OpenFiles() {}

  /**
   * Notes a mapping of a whole file.
   *
   * @param channel this class's from now on, until {@link #remove}
   */
  static void add(MemorySegment memory, FileChannel channel, Path path) {
    BY_ADDRESS.put(memory.address(), new OpenFile(memory, channel, path));
  }

  /** Forgets a mapping that ends. */
  static void remove(MemorySegment memory) {
    OpenFile file = BY_ADDRESS.remove(memory.address());
    if (file != null) {
      try {
        file.channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * Reads bytes of a mapped file.
   *
   * @param mapped where they are mapped
   * @param target as many
   * @return false where they are not of a file that is mapped, or it can no longer be read as its
   *     reader was interrupted; then they are to be copied from the mapping
   * @throws WeightsException where the file no longer has them
   */
  static boolean read(MemorySegment mapped, MemorySegment target) {
    Map.Entry<Long, OpenFile> entry = BY_ADDRESS.floorEntry(mapped.address());
    if (entry == null) {
      return false;
    }
    OpenFile file = entry.getValue();
    long begin = mapped.address() - file.memory.address();
    long bytes = mapped.byteSize();
    if (begin + bytes > file.memory.byteSize()) {
      return false;
    }
    try {
      for (long done = 0, count; done < bytes; done += count) {
        ByteBuffer rest = target.asSlice(done, Math.min(MOST, bytes - done)).asByteBuffer();
        count = file.channel.read(rest, begin + done);
        if (count < 0) {
          throw new WeightsException(
              "%s: it had %d bytes when it was opened, and has %d while it is read. Write a new file"
                      .formatted(file.path, file.memory.byteSize(), file.channel.size())
                  + " beside it and rename it to its name, in place of writing over it");
        }
      }
      return true;
    } catch (ClosedChannelException _) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(file.path + ": cannot be read", e);
    }
  }
}
