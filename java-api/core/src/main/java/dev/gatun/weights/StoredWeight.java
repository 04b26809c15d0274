package dev.gatun.weights;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import java.lang.foreign.MemorySegment;

/**
 * The weight [out_features, in_features] of a linear layer as a file has it. Its rows are read some
 * at a time, in place where they lie in the file as they are wanted.
 */
public sealed interface StoredWeight
    permits StoredWeight.Dense,
        StoredWeight.Blocks,
        Mxfp4Weight,
        Reordered,
        WidenedBlocks,
        QuantizedWeight {
  /** {@return the last axis of what it gives} */
  long outFeatures();

  /** {@return the last axis of what it takes} */
  long inFeatures();

  /** {@return what the elements of {@link #rows} are, unless others are asked for} */
  Storage storage();

  /**
   * {@return whether {@link #rows} of such elements are the file's own bytes}
   *
   * @param storage what the elements are to be
   */
  default boolean isStoredAs(Storage storage) {
    return false;
  }

  /**
   * Some rows, without gaps.
   *
   * @param storage what their elements are to be: this weight's own, or another one that holds them
   *     exactly, or floats that dense ones are rounded to
   * @param first the first row
   * @param last behind the last row
   * @param room for the rows, off-heap; written only where they are not in the file as wanted
   * @return the rows: of the file, or at the begin of the room
   */
  MemorySegment rows(Storage storage, long first, long last, MemorySegment room);

  /**
   * Numbers of their own.
   *
   * @param data row-major, as {@link TensorFile.Entry#data}
   * @param dtype F32, BF16, F16 or F64
   * @param outFeatures the rows
   * @param inFeatures the elements of a row
   */
  record Dense(MemorySegment data, DType dtype, long outFeatures, long inFeatures)
      implements StoredWeight {
    /** F64 is rounded to F32, for no product reads it. */
    @Override
    public Storage storage() {
      return Storage.of(dtype == DType.F64 ? DType.F32 : dtype);
    }

    @Override
    public boolean isStoredAs(Storage storage) {
      return storage.equals(Storage.of(dtype));
    }

    @Override
    public MemorySegment rows(Storage storage, long first, long last, MemorySegment room) {
      long bytes = inFeatures * dtype.bytes();
      MemorySegment rows = data.asSlice(first * bytes, (last - first) * bytes);
      if (isStoredAs(storage)) {
        return rows;
      }
      if (!storage.equals(Storage.F32)) {
        throw new IllegalArgumentException("rows of %s as %s".formatted(dtype, storage));
      }
      return Numbers.widen(rows, dtype, room);
    }
  }

  /**
   * Blocks of one of the formats that products read.
   *
   * @param data rows of {@link BlockFormat#rowBytes} without gaps
   * @param format of the blocks
   * @param outFeatures the rows
   * @param inFeatures the elements of a row
   */
  record Blocks(MemorySegment data, BlockFormat format, long outFeatures, long inFeatures)
      implements StoredWeight {
    @Override
    public Storage storage() {
      return Storage.of(format);
    }

    @Override
    public boolean isStoredAs(Storage storage) {
      return storage.equals(storage());
    }

    @Override
    public MemorySegment rows(Storage storage, long first, long last, MemorySegment room) {
      if (!isStoredAs(storage)) {
        throw new IllegalArgumentException("rows of %s as %s".formatted(format, storage));
      }
      long bytes = format.rowBytes(inFeatures);
      return data.asSlice(first * bytes, (last - first) * bytes);
    }
  }
}
