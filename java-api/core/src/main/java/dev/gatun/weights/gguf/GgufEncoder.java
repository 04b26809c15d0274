package dev.gatun.weights.gguf;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Makes a tensor's bytes in a type, some rows at a time, so that no more of it is in memory. */
final class GgufEncoder {
  /** Bytes of F32 in a part. */
  private static final long PART = 32L << 20;

  private final Device device = Device.cpu();

  /** Where the bytes go. */
  interface Sink {
    void write(MemorySegment bytes) throws IOException;
  }

  /**
   * Makes them.
   *
   * @param importance of the columns where blocks are made; null where all are alike
   */
  void encode(GgufTensor tensor, GgufType to, float[] importance, Sink sink) throws IOException {
    MemorySegment stored = tensor.rows().stored();
    if (stored != null && tensor.type().equals(to.name())) {
      sink.write(stored);
      return;
    }
    long columns = Math.max(1, tensor.columns());
    long rows = tensor.rowCount();
    long each = Math.clamp(PART / (columns * Float.BYTES), 1, Math.max(1, rows));
    try (Arena arena = Arena.ofShared()) {
      MemorySegment room = arena.allocate(each * columns * tensor.rows().dtype().bytes(), 64);
      MemorySegment made = arena.allocate(each * (columns / to.block()) * to.bytes(), 64);
      for (long first = 0; first < rows; first += each) {
        long last = Math.min(rows, first + each);
        MemorySegment part = tensor.rows().read(first, last, room);
        MemorySegment bytes = made.asSlice(0, (last - first) * (columns / to.block()) * to.bytes());
        if (importance != null && to.format() != null) {
          weighted(tensor, to, importance, part, bytes, first);
          sink.write(bytes);
          continue;
        }
        try (Scope _ = Scope.open()) {
          Tensor x = Tensor.adopt(device, tensor.rows().dtype(), part, last - first, columns);
          Tensor y = encoded(tensor, x, to, first);
          device.memory().read(y.operand().buffer(), y.operand().byteOffset(), bytes);
        }
        sink.write(bytes);
      }
    }
  }

  private static void weighted(
      GgufTensor tensor,
      GgufType to,
      float[] importance,
      MemorySegment part,
      MemorySegment bytes,
      long first) {
    DType dtype = tensor.rows().dtype();
    int columns = importance.length;
    try {
      Quantizer.quantize(
          to.format(),
          (row, x) -> {
            for (int i = 0; i < x.length; i++) {
              x[i] = at(part, dtype, row * columns + i);
            }
          },
          importance,
          Math.toIntExact(part.byteSize() / dtype.bytes() / columns),
          columns,
          bytes);
    } catch (IllegalArgumentException e) {
      throw wrong(tensor, to, first, e);
    }
  }

  private static float at(MemorySegment part, DType dtype, long i) {
    return switch (dtype) {
      case F32 -> part.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      case BF16 -> Float.intBitsToFloat(part.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
      default -> Float.float16ToFloat(part.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
    };
  }

  private static WeightsException wrong(
      GgufTensor tensor, GgufType to, long first, IllegalArgumentException e) {
    return new WeightsException(
        "%s: tensor '%s' as %s, rows from %d on: %s"
            .formatted(tensor.rows().told(), tensor.name(), to.name(), first, e.getMessage()),
        e);
  }

  private static Tensor encoded(GgufTensor tensor, Tensor x, GgufType to, long first) {
    try {
      DType dtype = to.dtype();
      if (dtype == null) {
        return Quantization.quantize(x, to.format());
      }
      return dtype == x.dtype() ? x : Elementwise.cast(x, dtype);
    } catch (IllegalArgumentException e) {
      throw wrong(tensor, to, first, e);
    }
  }
}
