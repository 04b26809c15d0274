package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.kernels.formats.WidenedFormat;
import dev.gatun.weights.Reordered;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.WidenedBlocks;
import dev.gatun.weights.gguf.GgufArchitecture.Move;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A tensor of a file as the model has it.
 *
 * @param told the file and the tensor's own name
 * @param type of its elements
 * @param data its bytes, those of one expert where it is one of several
 * @param shape its axes, as they lie in the file
 * @param move what was done to it
 * @param order the file's row of each of the model's; null where they are the same
 */
record GgufView(
    String told,
    GgufType type,
    MemorySegment data,
    long[] shape,
    Move move,
    LongUnaryOperator order) {

  /**
   * A tensor.
   *
   * @param heads of queries
   * @param kvHeads of keys and values
   */
  static GgufView of(
      String told,
      GgufHeader.Slot slot,
      MemorySegment data,
      GgufNames.Source source,
      long heads,
      long kvHeads) {
    long[] shape = slot.shape();
    MemorySegment part = data;
    if (source.expert() >= 0) {
      long bytes = data.byteSize() / shape[0];
      part = data.asSlice(source.expert() * bytes, bytes);
      shape = Arrays.copyOfRange(shape, 1, shape.length);
    }
    if (source.move() == Move.ROW && shape.length == 1) {
      shape = new long[] {1, shape[0]};
    }
    LongUnaryOperator order = order(source.move(), told, shape, heads, kvHeads);
    return new GgufView(told, slot.type(), part, shape, source.move(), order);
  }

  /** The file's row of each of the model's; null where they are the same. */
  static LongUnaryOperator order(Move move, String told, long[] shape, long heads, long kvHeads) {
    return switch (move) {
      case PAIRS -> pairs(told, shape, heads);
      case KEY_PAIRS -> pairs(told, shape, kvHeads);
      case GROUPS -> groups(told, shape, heads, kvHeads);
      default -> null;
    };
  }

  private static long headSize(String told, long[] shape, long heads) {
    if (shape.length == 0 || heads < 1 || shape[0] % heads != 0) {
      throw new WeightsException(
          "%s: has shape %s, expected rows for %d heads"
              .formatted(told, Arrays.toString(shape), heads));
    }
    return shape[0] / heads;
  }

  /** Row 2i + j of a head is the model's row j * size / 2 + i. */
  private static LongUnaryOperator pairs(String told, long[] shape, long heads) {
    long size = headSize(told, shape, heads);
    if (size % 2 != 0) {
      throw new WeightsException(
          "%s: has shape %s, %d rows for each of %d heads; expected an even number, for they turn in pairs"
              .formatted(told, Arrays.toString(shape), size, heads));
    }
    return row -> {
      long place = row % size;
      return row - place + place % (size / 2) * 2 + place / (size / 2);
    };
  }

  /** The model has for each head of keys its queries' heads, itself and its values. */
  private static LongUnaryOperator groups(String told, long[] shape, long heads, long kvHeads) {
    long size = headSize(told, shape, heads + 2 * kvHeads);
    long each = heads / Math.max(1, kvHeads);
    return row -> {
      long group = row / size / (each + 2);
      long part = row / size % (each + 2);
      long head = part < each ? group * each + part : heads + (part - each) * kvHeads + group;
      return head * size + row % size;
    };
  }

  /** The format of its blocks; null where its elements are numbers. */
  private BlockFormat format() {
    if (type.block() > 1 && (shape.length < 2 || move == Move.PLUS_ONE)) {
      throw new WeightsException(
          "%s: is %s, expected F32, as norms and biases are".formatted(told, type.name()));
    }
    BlockFormat format = type.format();
    if (format == null && type.dtype() == null && widened().isEmpty()) {
      throw new WeightsException(
          "%s: is %s, which is not read; expected F32, F16, BF16, F64 or %s"
              .formatted(
                  told,
                  type.name(),
                  Stream.concat(
                          BlockFormat.GGML.stream().map(BlockFormat::toString),
                          Arrays.stream(WidenedFormat.values()).map(WidenedFormat::toString))
                      .collect(Collectors.joining(", "))));
    }
    return format;
  }

  /** The format that is widened when it is loaded. */
  private Optional<WidenedFormat> widened() {
    return WidenedFormat.ofGgmlType(type.id());
  }

  private boolean isBlocks() {
    return format() != null || widened().isPresent();
  }

  /** What its elements are given as: blocks as F32, as are those that 1 is taken from. */
  DType dtype() {
    return isBlocks() || move == Move.PLUS_ONE ? DType.F32 : type.dtype();
  }

  /** Whether the file's bytes are the model's. */
  boolean isPlain() {
    return !isBlocks()
        && order == null
        && move != Move.PLUS_ONE
        && !(move == Move.TRANSPOSED && shape.length == 2);
  }

  long[] modelShape() {
    return move == Move.TRANSPOSED && shape.length == 2
        ? new long[] {shape[1], shape[0]}
        : shape.clone();
  }

  TensorFile.Info info() {
    // Fails for a type that is not read.
    dtype();
    return new TensorFile.Info(type.name(), modelShape(), rows() * columns(), data.byteSize());
  }

  private long rows() {
    return shape.length == 0 ? 1 : shape[0];
  }

  private long columns() {
    return Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b);
  }

  /** The bytes of what {@link #write} writes. */
  long bytes() {
    return rows() * columns() * dtype().bytes();
  }

  /** Writes the elements as the model has them. */
  void write(MemorySegment to) {
    int bytes = dtype().bytes();
    long row = columns() * bytes;
    boolean transposed = move == Move.TRANSPOSED && shape.length == 2;
    LongStream.range(0, rows())
        .parallel()
        .forEach(
            r -> {
              MemorySegment from = row(order == null ? r : order.applyAsLong(r));
              if (!transposed) {
                to.asSlice(r * row, row).copyFrom(from);
                return;
              }
              for (long c = 0; c < columns(); c++) {
                MemorySegment.copy(from, c * bytes, to, (c * rows() + r) * bytes, bytes);
              }
            });
  }

  /** A row of the file in the dtype that it is given as. */
  private MemorySegment row(long r) {
    if (isBlocks()) {
      float[] x = new float[Math.toIntExact(columns())];
      StoredWeight blocks = blocks();
      Storage.Blocks storage = (Storage.Blocks) blocks.storage();
      byte[] room = new byte[Math.toIntExact(storage.rowBytes(x.length))];
      MemorySegment row = blocks.rows(storage, r, r + 1, MemorySegment.ofArray(room));
      Quantizer.dequantize(storage.format(), row, x);
      return MemorySegment.ofArray(x);
    }
    long bytes = columns() * type.dtype().bytes();
    MemorySegment row = data.asSlice(r * bytes, bytes);
    if (move != Move.PLUS_ONE) {
      return row;
    }
    if (type.dtype() != DType.F32) {
      throw new WeightsException(told + ": is " + type.name() + ", expected F32 of a norm");
    }
    float[] values = row.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    for (int i = 0; i < values.length; i++) {
      values[i] -= 1;
    }
    return MemorySegment.ofArray(values);
  }

  private StoredWeight blocks() {
    BlockFormat format = format();
    return format == null
        ? new WidenedBlocks(data, widened().orElseThrow(), rows(), columns())
        : new StoredWeight.Blocks(data, format, rows(), columns());
  }

  /** The weight of a linear layer, where it is in blocks or not as the model has it; else empty. */
  Optional<StoredWeight> stored() {
    if (shape.length != 2
        || !isBlocks() && order == null && move != Move.TRANSPOSED
        || move == Move.PLUS_ONE) {
      return Optional.empty();
    }
    StoredWeight weight =
        isBlocks() ? blocks() : new StoredWeight.Dense(data, type.dtype(), shape[0], shape[1]);
    return Optional.of(order == null ? weight : new Reordered(weight, order));
  }
}
