package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory of the processor that arrays share: one that owns it and views of it. It goes back when
 * the last of them releases it, or by a Cleaner where one was forgotten and nothing reaches it any
 * more.
 */
public final class Store {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOGGER = System.getLogger("dev.gatun.djl");
  private static final AtomicBoolean TOLD = new AtomicBoolean();

  /** What goes with memory, such as where its numbers come from. */
  public interface Companion {
    /** The memory is given back. */
    void end();
  }

  /** Gives the memory back, once: for the last user, or for those who forgot it. */
  private static final class Memory implements Runnable {
    private final AutoCloseable memory;
    private volatile boolean released;

    private Memory(AutoCloseable memory) {
      this.memory = memory;
    }

    @Override
    public void run() {
      if (!released && TOLD.compareAndSet(false, true)) {
        LOGGER.log(
            System.Logger.Level.WARNING,
            "an NDArray was not closed and no open NDManager has it; its memory was given back"
                + " when it was found unreachable (said once)");
      }
      if (memory instanceof Buffer buffer) {
        buffer.close();
      } else {
        ((Tensor) memory).close();
      }
    }
  }

  private final Buffer buffer;
  // The place of the first number in the buffer, which may have others before and behind.
  private final long origin;
  private final MemorySegment segment;
  private final DType dtype;
  private final long numbers;
  private final Memory memory;
  private final Cleaner.Cleanable cleanable;
  private final AtomicInteger users = new AtomicInteger(1);
  private volatile Companion companion;
  private volatile int version;

  private Store(Buffer buffer, long origin, DType dtype, long numbers, AutoCloseable owned) {
    this.buffer = buffer;
    this.origin = origin;
    MemorySegment all = ((HostBuffer) buffer).segment();
    long bytes = numbers * dtype.bytes();
    this.segment = bytes == all.byteSize() ? all : all.asSlice(origin * dtype.bytes(), bytes);
    this.dtype = dtype;
    this.numbers = numbers;
    this.memory = new Memory(owned);
    this.cleanable = CLEANER.register(this, memory);
  }

  /** Memory with undefined contents, and one user. */
  static Store allocate(DataType type, long count) {
    DType dtype = dtype(type);
    long numbers = Math.multiplyExact(count, Codec.of(type).parts());
    Buffer buffer = Device.cpu().memory().allocate(Math.multiplyExact(numbers, dtype.bytes()));
    return new Store(buffer, 0, dtype, numbers, buffer);
  }

  /**
   * The memory of a tensor on the processor, which now belongs to the store, and one user.
   *
   * @param tensor an owner without gaps; of more memory than it shows no more is the store's
   */
  static Store of(Tensor tensor) {
    Operand operand = tensor.detach().operand();
    return new Store(operand.buffer(), operand.offset(), tensor.dtype(), tensor.count(), tensor);
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

  /** Whether it has one user, and nothing goes with it. */
  public boolean isAlone() {
    return users.get() == 1 && companion == null;
  }

  /** One user less; the last one gives the memory back. */
  public void release() {
    if (users.decrementAndGet() == 0) {
      Companion gone = companion;
      companion = null;
      if (gone != null) {
        gone.end();
      }
      memory.released = true;
      cleanable.clean();
    }
  }

  /** The numbers that it has room for: a complex one is two. */
  public long numbers() {
    return numbers;
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

  /** What kernels take for numbers of it, from one on. */
  Operand operand(long from, long[] shape, long[] strides) {
    return new Operand(buffer, origin + from, dtype, shape, strides);
  }

  /** A tensor of one axis over the memory, for the library's ops; no owner of it. */
  Tensor tensor() {
    return Tensor.adopt(Device.cpu(), dtype, segment, numbers).detach();
  }

  /** The bytes; valid between {@link #acquire} and {@link #free}. */
  MemorySegment segment() {
    return segment;
  }

  /**
   * Keeps the memory while loops run over it.
   *
   * @throws IllegalStateException when it was given back
   */
  void acquire() {
    buffer.acquire();
  }

  void free() {
    buffer.release();
  }
}
