package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory of the processor that arrays share: one that owns it and views of it. It goes back when
 * the last of them releases it.
 */
public final class Store {
  /** What goes with memory, such as where its numbers come from. */
  public interface Companion {
    /** The memory is given back. */
    void end();
  }

  private final Tensor tensor;
  private final AtomicInteger users = new AtomicInteger(1);
  private volatile Companion companion;
  private volatile int version;

  private Store(Tensor tensor) {
    this.tensor = tensor;
  }

  /** Memory with undefined contents, and one user. */
  static Store allocate(DataType type, long count) {
    long numbers = Math.multiplyExact(count, Codec.of(type).parts());
    return new Store(Tensor.empty(Device.cpu(), dtype(type), numbers).detach());
  }

  /**
   * The memory of a tensor on the processor, which now belongs to the store, and one user.
   *
   * @param tensor an owner without gaps
   */
  public static Store of(Tensor tensor) {
    return new Store(tensor.detach());
  }

  /** The library's type of as many bytes, of the same kind where it has one. */
  static DType dtype(DataType type) {
    return switch (type) {
      case FLOAT64 -> DType.F64;
      case FLOAT32, COMPLEX64 -> DType.F32;
      case FLOAT16 -> DType.F16;
      case BFLOAT16 -> DType.BF16;
      case INT64, UINT64 -> DType.I64;
      case INT32, UINT32 -> DType.I32;
      case INT16, UINT16 -> DType.I16;
      case INT8 -> DType.I8;
      case UINT8 -> DType.U8;
      case BOOLEAN -> DType.BOOL;
      default -> throw Refusal.unsupported("arrays of " + type);
    };
  }

  /** One more user. */
  public void retain() {
    users.incrementAndGet();
  }

  /** One user less; the last one gives the memory back. */
  public void release() {
    if (users.decrementAndGet() == 0) {
      Companion gone = companion;
      companion = null;
      if (gone != null) {
        gone.end();
      }
      tensor.close();
    }
  }

  /** The numbers that it has room for: a complex one is two. */
  public long numbers() {
    return Strided.count(tensor.shape());
  }

  /** What goes with it, or null. */
  public Companion companion() {
    return companion;
  }

  /** Something goes with it, in place of what did; null for nothing. */
  public void accompany(Companion other) {
    companion = other;
  }

  /** A number that is another one after {@link #changed}. */
  public int version() {
    return version;
  }

  /** Says that arrays which are there were written over, by one thread at a time. */
  @SuppressWarnings("NonAtomicOperationOnVolatileField")
  public void changed() {
    version++;
  }

  /** The tensor that has the memory, of one axis. */
  Tensor tensor() {
    return tensor;
  }

  /** The bytes; valid between {@link #acquire} and {@link #free}. */
  MemorySegment segment() {
    return ((HostBuffer) tensor.operand().buffer()).segment();
  }

  /**
   * Keeps the memory while loops run over it.
   *
   * @throws IllegalStateException when it was given back
   */
  void acquire() {
    tensor.operand().buffer().acquire();
  }

  void free() {
    tensor.operand().buffer().release();
  }
}
