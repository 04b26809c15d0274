package dev.gatun.weights;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;

/**
 * A weight in MXFP4 with its scales apart and neighbours in a byte, as {@link Mxfp4Method} reads
 * it; its rows are given as GGML's blocks, in which a byte has elements that are 16 apart.
 *
 * @param blocks of a row {@code in_features / 2} bytes, the earlier element in the lower half
 * @param scales of a row {@code in_features / 32} exponents
 * @param first the file's row of the first output feature
 * @param step the file's rows from one output feature to the next
 */
record Mxfp4Weight(
    MemorySegment blocks,
    MemorySegment scales,
    long outFeatures,
    long inFeatures,
    long first,
    long step)
    implements StoredWeight {
  private static final BlockFormat FORMAT = BlockFormat.MXFP4;
  private static final int CODE_BYTES = 16;

  @Override
  public Storage storage() {
    return Storage.of(FORMAT);
  }

  @Override
  public MemorySegment rows(Storage storage, long begin, long end, MemorySegment room) {
    if (!storage.equals(storage())) {
      throw new IllegalArgumentException("rows of %s as %s".formatted(FORMAT, storage));
    }
    long count = inFeatures / FORMAT.blockSize(inFeatures);
    long bytes = FORMAT.rowBytes(inFeatures);
    LongStream.range(begin, end)
        .parallel()
        .forEach(
            row -> {
              long from = (first + row * step) * count;
              long to = (row - begin) * bytes;
              for (long b = 0; b < count; b++) {
                room.set(JAVA_BYTE, to, scales.get(JAVA_BYTE, from + b));
                long low = blocks.get(JAVA_LONG_UNALIGNED, (from + b) * CODE_BYTES);
                long high = blocks.get(JAVA_LONG_UNALIGNED, (from + b) * CODE_BYTES + Long.BYTES);
                // The first sixteen elements go to the lower halves, in their order.
                room.set(JAVA_LONG_UNALIGNED, to + 1, spread(low) | spread(high) << 4);
                room.set(
                    JAVA_LONG_UNALIGNED,
                    to + 1 + Long.BYTES,
                    spread(low >>> 32) | spread(high >>> 32) << 4);
                to += 1 + CODE_BYTES;
              }
            });
    return room.asSlice(0, (end - begin) * bytes);
  }

  /** The eight halves of the lower four bytes, each in the lower half of a byte. */
  private static long spread(long bytes) {
    long x = bytes & 0xffffffffL;
    x = (x | x << 16) & 0x0000ffff0000ffffL;
    x = (x | x << 8) & 0x00ff00ff00ff00ffL;
    return (x | x << 4) & 0x0f0f0f0f0f0f0f0fL;
  }
}
