package dev.gatun.weights;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.WidenedFormat;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Blocks of a format that products do not read, which become blocks of one that they do, of the
 * same numbers.
 *
 * @param data rows of {@link WidenedFormat#rowBytes} without gaps
 * @param format of the blocks
 * @param outFeatures the rows
 * @param inFeatures the elements of a row
 */
public record WidenedBlocks(
    MemorySegment data, WidenedFormat format, long outFeatures, long inFeatures)
    implements StoredWeight {
  /** Requires both. */
  public WidenedBlocks {
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(format, "format");
  }

  @Override
  public Storage storage() {
    return Storage.of(format.becomes());
  }

  @Override
  public MemorySegment rows(Storage storage, long first, long last, MemorySegment room) {
    if (!storage.equals(storage())) {
      throw new IllegalArgumentException("rows of %s as %s".formatted(format, storage));
    }
    long bytes = format.rowBytes(inFeatures);
    MemorySegment rows = room.asSlice(0, (last - first) * storage.rowBytes(inFeatures));
    format.widen(data.asSlice(first * bytes, (last - first) * bytes), rows);
    return rows;
  }
}
