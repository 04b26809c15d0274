package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Copies of a file's tensors on a device, whose pages in the file are given back.
 *
 * @param device that they are on
 * @param parts that the file is read by
 */
record DeviceCopies(Device device, FileParts parts) {
  /** A copy, as it is in the file. */
  Tensor copy(TensorFile.Entry entry) {
    return copy(entry.data(), entry.dtype(), entry.shape());
  }

  /** The rows of a weight in blocks, U8 [out_features, row_bytes]. */
  Tensor copy(StoredWeight.Blocks blocks) {
    long bytes = blocks.format().rowBytes(blocks.inFeatures());
    return copy(blocks.data(), DType.U8, blocks.outFeatures(), bytes);
  }

  /** The same where they lie in the file. */
  Tensor mapped(StoredWeight.Blocks blocks) {
    long bytes = blocks.format().rowBytes(blocks.inFeatures());
    return Tensor.adopt(device, DType.U8, blocks.data(), blocks.outFeatures(), bytes);
  }

  /** A weight of floats where they lie in the file. */
  Tensor mapped(StoredWeight.Dense weight) {
    return Tensor.adopt(
        device, weight.dtype(), weight.data(), weight.outFeatures(), weight.inFeatures());
  }

  /** A tensor where it lies in the file. */
  Tensor mapped(TensorFile.Entry entry) {
    return Tensor.adopt(device, entry.dtype(), entry.data(), entry.shape());
  }

  private Tensor copy(MemorySegment data, DType dtype, long... shape) {
    Tensor tensor = Tensor.empty(device, dtype, shape);
    try {
      for (long begin = 0; begin < data.byteSize(); begin += FileParts.BYTES) {
        long bytes = Math.min(FileParts.BYTES, data.byteSize() - begin);
        MemorySegment part = parts.read(data.asSlice(begin, bytes));
        device.memory().write(part, tensor.operand().buffer(), begin);
        FileParts.release(part);
      }
      return tensor;
    } catch (RuntimeException | Error e) {
      tensor.close();
      throw e;
    }
  }

  /** A copy as it is in the file where ops read that, else in F32. */
  Tensor plain(TensorFile.Entry entry) {
    return entry.dtype() == DType.F64 ? wide(entry) : copy(entry);
  }

  /** A copy in F32. */
  Tensor wide(TensorFile.Entry entry) {
    if (entry.dtype() == DType.F32) {
      return copy(entry);
    }
    Tensor tensor = Tensor.empty(device, DType.F32, entry.shape());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment room = arena.allocate(Math.max(1, entry.elements() * Float.BYTES), 64);
      MemorySegment floats = Numbers.widen(entry.data(), entry.dtype(), room);
      device.memory().write(floats, tensor.operand().buffer(), 0);
    }
    FileParts.release(entry.data());
    return tensor;
  }
}
