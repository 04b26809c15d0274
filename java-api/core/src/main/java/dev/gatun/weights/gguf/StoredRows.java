package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.kernels.formats.WidenedFormat;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.WidenedBlocks;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The rows of a tensor of a GGUF file: numbers as they are, blocks as F32.
 *
 * @param type of the elements
 * @param stored all bytes
 * @param rows how many
 * @param columns of each
 */
record StoredRows(String told, GgufType type, MemorySegment stored, long rows, long columns)
    implements GgufTensor.Rows {

  static StoredRows of(String told, GgufHeader.Slot slot, MemorySegment data) {
    long columns = slot.shape().length == 0 ? 1 : slot.shape()[slot.shape().length - 1];
    long rows = columns == 0 ? 0 : data.byteSize() / slot.type().bytes() * slot.type().block();
    return new StoredRows(told, slot.type(), data, columns == 0 ? 0 : rows / columns, columns);
  }

  @Override
  public DType dtype() {
    DType dtype = type.dtype();
    if (dtype == null || dtype == DType.F64) {
      return DType.F32;
    }
    if (dtype != DType.F32 && dtype != DType.F16 && dtype != DType.BF16) {
      throw new WeightsException(
          "%s: is %s, which becomes no other type".formatted(told, type.name()));
    }
    return dtype;
  }

  @Override
  public MemorySegment read(long first, long last, MemorySegment room) {
    if (type.dtype() != null) {
      return new StoredWeight.Dense(stored, type.dtype(), rows, columns)
          .rows(Storage.of(dtype()), first, last, room);
    }
    StoredWeight blocks = blocks();
    BlockFormat format = ((Storage.Blocks) blocks.storage()).format();
    LongStream.range(first, last)
        .parallel()
        .forEach(
            row -> {
              byte[] bytes = new byte[Math.toIntExact(format.rowBytes(columns))];
              float[] x = new float[Math.toIntExact(columns)];
              MemorySegment from =
                  blocks.rows(blocks.storage(), row, row + 1, MemorySegment.ofArray(bytes));
              Quantizer.dequantize(format, from, x);
              room.asSlice((row - first) * columns * Float.BYTES, columns * Float.BYTES)
                  .copyFrom(MemorySegment.ofArray(x));
            });
    return room.asSlice(0, (last - first) * columns * Float.BYTES);
  }

  private StoredWeight blocks() {
    if (type.format() != null) {
      return new StoredWeight.Blocks(stored, type.format(), rows, columns);
    }
    Optional<WidenedFormat> widened = WidenedFormat.ofGgmlType(type.id());
    return new WidenedBlocks(
        stored,
        widened.orElseThrow(
            () ->
                new WeightsException("%s: is %s, which is not read".formatted(told, type.name()))),
        rows,
        columns);
  }
}
