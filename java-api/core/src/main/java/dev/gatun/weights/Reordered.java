package dev.gatun.weights;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * A weight whose rows a file has in another order than the model; whole rows are moved, so that no
 * number changes.
 *
 * @param weight as the file has it
 * @param order the file's row of each of the model's
 */
public record Reordered(StoredWeight weight, LongUnaryOperator order) implements StoredWeight {
  /** Requires both. */
  public Reordered {
    Objects.requireNonNull(weight, "weight");
    Objects.requireNonNull(order, "order");
  }

  /**
   * Which row comes from which, by what becomes of their numbers.
   *
   * @param count of rows, at most 2^24, so that F32 has each number
   * @param rows gives a tensor's rows [count, 1] in the model's order, in a new tensor
   */
  static LongUnaryOperator order(Device device, long count, UnaryOperator<Tensor> rows) {
    if (count > 1 << 24) {
      throw new IllegalArgumentException(
          "rows in another order: %d, expected at most 2^24".formatted(count));
    }
    float[] numbers = new float[(int) count];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    try (Tensor named = Tensor.of(device, numbers, count, 1);
        Tensor moved = rows.apply(named)) {
      float[] order = moved.toFloatArray();
      return row -> (long) order[(int) row];
    }
  }

  @Override
  public long outFeatures() {
    return weight.outFeatures();
  }

  @Override
  public long inFeatures() {
    return weight.inFeatures();
  }

  @Override
  public Storage storage() {
    return weight.storage();
  }

  @Override
  public MemorySegment rows(Storage storage, long first, long last, MemorySegment room) {
    long bytes = storage.rowBytes(inFeatures());
    LongStream.range(first, last)
        .parallel()
        .forEach(
            row -> {
              long from = order.applyAsLong(row);
              MemorySegment to = room.asSlice((row - first) * bytes, bytes);
              MemorySegment read = weight.rows(storage, from, from + 1, to);
              if (read.address() != to.address()) {
                to.copyFrom(read);
              }
            });
    return room.asSlice(0, (last - first) * bytes);
  }
}
