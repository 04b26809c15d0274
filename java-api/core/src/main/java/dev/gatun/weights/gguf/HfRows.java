package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.gguf.GgufArchitecture.Move;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;

/**
 * The rows of a GGUF tensor that is made of those of a Hugging Face model.
 *
 * @param parts one, or each expert's, of the same shape
 * @param move what is done to them
 * @param order the model's row of each of GGUF's, in a part; null where they are the same
 * @param rows of a part, as GGUF has it
 * @param columns of a row
 */
record HfRows(
    List<TensorFile.Entry> parts, Move move, LongUnaryOperator order, long rows, long columns)
    implements GgufTensor.Rows {

  @Override
  public String told() {
    return parts.getFirst().toString();
  }

  /** F64 becomes F32, and so do norms that 1 is added to. */
  @Override
  public DType dtype() {
    DType dtype = parts.getFirst().dtype();
    return dtype == DType.F64 || move == Move.PLUS_ONE ? DType.F32 : dtype;
  }

  @Override
  public MemorySegment stored() {
    boolean plain = order == null && !move.isTurned() && move != Move.PLUS_ONE;
    return plain && parts.size() == 1 ? parts.getFirst().data() : null;
  }

  @Override
  public MemorySegment read(long first, long last, MemorySegment room) {
    long bytes = columns * dtype().bytes();
    long done = first;
    while (done < last) {
      long part = done / rows;
      long end = Math.min(last, (part + 1) * rows);
      MemorySegment to = room.asSlice((done - first) * bytes, (end - done) * bytes);
      MemorySegment made = read(parts.get((int) part), done - part * rows, end - part * rows, to);
      if (done == first && end == last) {
        return made;
      }
      if (made.address() != to.address()) {
        to.copyFrom(made);
      }
      done = end;
    }
    return room.asSlice(0, (last - first) * bytes);
  }

  private MemorySegment read(TensorFile.Entry part, long first, long last, MemorySegment room) {
    if (move.isTurned()) {
      return transposed(part, first, last, room);
    }
    StoredWeight.Dense all = new StoredWeight.Dense(part.data(), part.dtype(), rows, columns);
    Storage storage = Storage.of(dtype());
    if (order == null) {
      return move == Move.PLUS_ONE
          ? plusOne(all.rows(Storage.F32, first, last, room), room)
          : all.rows(storage, first, last, room);
    }
    long bytes = columns * dtype().bytes();
    LongStream.range(first, last)
        .parallel()
        .forEach(
            row -> {
              long from = order.applyAsLong(row);
              MemorySegment to = room.asSlice((row - first) * bytes, bytes);
              MemorySegment read = all.rows(storage, from, from + 1, to);
              if (read.address() != to.address()) {
                to.copyFrom(read);
              }
            });
    return room;
  }

  private static MemorySegment plusOne(MemorySegment values, MemorySegment room) {
    for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
      float value = values.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      room.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value + 1);
    }
    return room.asSlice(0, values.byteSize());
  }

  /** Row r is the model's column r. */
  private MemorySegment transposed(
      TensorFile.Entry part, long first, long last, MemorySegment room) {
    int bytes = part.dtype().bytes();
    LongStream.range(first, last)
        .parallel()
        .forEach(
            row -> {
              for (long c = 0; c < columns; c++) {
                MemorySegment.copy(
                    part.data(),
                    (c * rows + row) * bytes,
                    room,
                    ((row - first) * columns + c) * bytes,
                    bytes);
              }
            });
    return room.asSlice(0, (last - first) * columns * bytes);
  }
}
