package dev.gatun.weights;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The same layer of each expert of a mixture, all in one tensor.
 *
 * @param name of the tensor
 * @param experts how many there are
 * @param flat whether it is [experts rows, columns], and not [experts, rows, columns]
 */
public record FusedExperts(String name, int experts, boolean flat) {
  /** The axes of the tensor where an expert's are these. */
  long[] shape(long rows, long columns) {
    return flat
        ? new long[] {Math.multiplyExact(experts, rows), columns}
        : new long[] {experts, rows, columns};
  }

  /** Each expert's part [rows, columns]. */
  List<StoredWeight> parts(TensorFile.Entry entry, long rows, long columns) {
    long bytes = entry.data().byteSize() / experts;
    List<StoredWeight> parts = new ArrayList<>();
    for (int e = 0; e < experts; e++) {
      MemorySegment data = entry.data().asSlice(e * bytes, bytes);
      parts.add(new StoredWeight.Dense(data, entry.dtype(), rows, columns));
    }
    return parts;
  }
}
