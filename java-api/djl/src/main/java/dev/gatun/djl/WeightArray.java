package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrayAdapter;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * A weight of a model as its file has it, read when a program asks for its numbers: what kernels
 * read is packed, and is no array. It cannot be written to.
 */
final class WeightArray extends NDArrayAdapter {
  private final Path file;

  WeightArray(GatunNDManager manager, Path file, String name, TensorFile.Info info) {
    super(manager, manager, new Shape(info.shape()), type(info), NDManager.nextUid());
    this.file = file;
    this.name = name;
    manager.attachInternal(uid, this);
  }

  /** What its numbers are given as; those of blocks as FLOAT32. */
  private static DataType type(TensorFile.Info info) {
    return switch (info.type()) {
      case "F64" -> DataType.FLOAT64;
      case "F16" -> DataType.FLOAT16;
      case "BF16" -> DataType.BFLOAT16;
      case "I64" -> DataType.INT64;
      case "I32" -> DataType.INT32;
      case "I16" -> DataType.INT16;
      case "I8" -> DataType.INT8;
      case "U8" -> DataType.UINT8;
      case "BOOL" -> DataType.BOOLEAN;
      default -> DataType.FLOAT32;
    };
  }

  @Override
  public ByteBuffer toByteBuffer(boolean tryDirect) {
    if (isClosed) {
      throw new IllegalStateException("the weight %s is closed".formatted(name));
    }
    try (TensorFile open = TensorFile.open(file)) {
      TensorFile.Entry entry = open.get(name);
      long bytes = dataType.getNumOfBytes() * shape.size();
      if (entry.data().byteSize() != bytes) {
        throw new IllegalStateException(
            "weight %s: the file has %s, expected %s".formatted(name, entry, dataType));
      }
      ByteBuffer copy =
          ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
      java.lang.foreign.MemorySegment.ofBuffer(copy).copyFrom(entry.data());
      return copy;
    } catch (IOException e) {
      throw new UncheckedIOException("weight %s: %s".formatted(name, e.getMessage()), e);
    }
  }

  @Override
  public void setRequiresGradient(boolean requiresGrad) {
    if (requiresGrad) {
      throw new UnsupportedOperationException(
          "setRequiresGradient: %s is packed for kernels, expected a model that was loaded with the option trainParam=true"
              .formatted(name));
    }
  }

  @Override
  public void intern(NDArray replaced) {
    throw new UnsupportedOperationException(
        "%s is packed for kernels, expected a model that was loaded with the option trainParam=true"
            .formatted(name));
  }

  @Override
  public void detach() {
    manager.detachInternal(uid);
    manager = GatunNDManager.system();
  }

  @Override
  public void close() {
    if (!isClosed) {
      manager.detachInternal(uid);
      super.close();
    }
  }
}
