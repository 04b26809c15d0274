package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.MemorySegment;

/**
 * A tensor that is to be written.
 *
 * @param name of GGUF
 * @param shape its axes, the rows' first; the last one is what blocks divide
 * @param type what its elements are where they come from, by GGUF's name
 * @param rows its elements, as many rows as the product of all axes but the last
 */
public record GgufTensor(String name, long[] shape, String type, Rows rows) {
  /** Elements by rows. */
  interface Rows {
    /** F32, F16 or BF16: what {@link #read} gives. */
    DType dtype();

    /**
     * Some rows, without gaps.
     *
     * @param room for them, off-heap; written only where they are not in a file as wanted
     */
    MemorySegment read(long first, long last, MemorySegment room);

    /** Where they come from, for messages. */
    String told();

    /** All bytes, where they are in a file of the same type; null where they are made. */
    MemorySegment stored();
  }

  /** The elements of a row. */
  public long columns() {
    return shape.length == 0 ? 1 : shape[shape.length - 1];
  }

  /** The number of rows. */
  public long rowCount() {
    long rows = 1;
    for (int i = 0; i < shape.length - 1; i++) {
      rows *= shape[i];
    }
    return rows;
  }

  /** The bytes that it takes in a type. */
  public long bytes(String as) {
    GgufType to = GgufType.of(as);
    return rowCount() * (columns() / to.block()) * to.bytes();
  }

  /** Whether a row is of whole blocks of a type. */
  public boolean fits(String as) {
    return columns() % GgufType.of(as).block() == 0;
  }
}
