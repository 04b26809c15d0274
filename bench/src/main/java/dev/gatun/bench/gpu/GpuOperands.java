package dev.gatun.bench.gpu;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** A call's operands on the device: inputs whose numbers the host knows, outputs that it reads. */
final class GpuOperands implements AutoCloseable {
  private static final int POISON_BYTES = 1 << 20;

  /**
   * An input.
   *
   * @param start where in {@link Numbers} it begins
   */
  record Input(Operand operand, long start) {
    double at(long place) {
      return Numbers.of(operand.dtype()).at(start + place);
    }

    double[] at(long place, int count) {
      double[] values = new double[count];
      Arrays.setAll(values, i -> at(place + i));
      return values;
    }
  }

  private final Backend backend;
  private final List<Buffer> buffers = new ArrayList<>();
  private final List<Operand> outputs = new ArrayList<>();
  private long next;
  private long bytes;

  /**
   * @param copy which of the row's copies it is: each has numbers of its own
   */
  GpuOperands(Backend backend, int copy) {
    this.backend = backend;
    this.next = 7919L * copy;
  }

  /** Bytes that a call moves at least, each operand counted once. */
  long bytes() {
    return bytes;
  }

  /** Contiguous random numbers around 0. */
  Input input(DType dtype, long... shape) {
    Operand operand = Operand.of(allocate(dtype.bytes() * count(shape)), dtype, shape);
    long start = next % Numbers.COUNT;
    next = start + count(shape) + 1;
    fill(operand, start);
    return new Input(operand, start);
  }

  private void fill(Operand operand, long start) {
    MemorySegment all = Numbers.of(operand.dtype()).bits();
    long length = operand.buffer().byteSize();
    long from = start * operand.dtype().bytes();
    for (long done = 0; done < length; ) {
      long part = Math.min(length - done, all.byteSize() - from);
      backend.memory().write(all.asSlice(from, part), operand.buffer(), done);
      done += part;
      from = 0;
    }
  }

  /** A contiguous output, NaN until it is written. */
  Operand output(DType dtype, long... shape) {
    Operand operand = Operand.of(allocate(dtype.bytes() * count(shape)), dtype, shape);
    outputs.add(operand);
    poison(operand);
    return operand;
  }

  /** What a call needs beside its operands, not counted among their bytes. */
  Operand scratch(DType dtype, long... shape) {
    Operand operand = Operand.of(allocate(dtype.bytes() * count(shape)), dtype, shape);
    bytes -= operand.buffer().byteSize();
    return operand;
  }

  /** Bytes that are written piece by piece, the last one cut off. */
  Operand repeated(MemorySegment piece, long length) {
    Operand operand = Operand.of(allocate(length), DType.U8, length);
    for (long done = 0; done < length; done += piece.byteSize()) {
      long part = Math.min(piece.byteSize(), length - done);
      backend.memory().write(piece.asSlice(0, part), operand.buffer(), done);
    }
    return operand;
  }

  /** These numbers. */
  Operand given(float... numbers) {
    Operand operand =
        Operand.of(allocate((long) numbers.length * Float.BYTES), DType.F32, (long) numbers.length);
    try (Arena arena = Arena.ofConfined()) {
      backend
          .memory()
          .write(arena.allocateFrom(ValueLayout.JAVA_FLOAT, numbers), operand.buffer(), 0);
    }
    return operand;
  }

  /** Fills an input with its numbers again. */
  void refill(Input input) {
    fill(input.operand(), input.start());
  }

  /** The numbers from 0 on. */
  Operand numbered(long count) {
    Operand operand = Operand.of(allocate(count * Long.BYTES), DType.I64, count);
    try (Arena arena = Arena.ofConfined()) {
      long[] numbers = LongStream.range(0, count).toArray();
      backend
          .memory()
          .write(arena.allocateFrom(ValueLayout.JAVA_LONG, numbers), operand.buffer(), 0);
    }
    return operand;
  }

  /** Makes all outputs NaN. */
  void poison() {
    outputs.forEach(this::poison);
  }

  private void poison(Operand output) {
    fill(output, (byte) -1);
  }

  /** Makes all of an operand 0. */
  void zero(Operand operand) {
    fill(operand, (byte) 0);
  }

  private void fill(Operand operand, byte with) {
    long length = operand.buffer().byteSize();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment piece = arena.allocate(Math.min(length, POISON_BYTES)).fill(with);
      for (long done = 0; done < length; done += piece.byteSize()) {
        long part = Math.min(piece.byteSize(), length - done);
        backend.memory().write(piece.asSlice(0, part), operand.buffer(), done);
      }
    }
  }

  /** Elements of a contiguous operand, once all that was submitted is done. */
  double[] read(Operand operand, long place, int count) {
    DType dtype = operand.dtype();
    double[] values = new double[count];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bits = arena.allocate((long) count * dtype.bytes(), 8);
      backend.memory().read(operand.buffer(), place * dtype.bytes(), bits);
      Arrays.setAll(values, i -> Numbers.value(dtype, bits, i));
    }
    return values;
  }

  /** Waits for all that was submitted. */
  void await() {
    read(outputs.getFirst(), 0, 1);
  }

  private Buffer allocate(long length) {
    Buffer buffer = backend.memory().allocate(length);
    buffers.add(buffer);
    bytes += length;
    return buffer;
  }

  private static long count(long... shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  @Override
  public void close() {
    buffers.forEach(Buffer::close);
  }
}
