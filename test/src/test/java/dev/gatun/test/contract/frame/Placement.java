package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A case's operand in a device's memory, surrounded by poison. */
public final class Placement implements AutoCloseable {
  /** All bits set: a NaN in every float type, -1 in every signed one. */
  static final byte POISON = (byte) 0xff;

  private static final int GUARD = 320;

  private final Data data;
  private final Buffer buffer;
  private final long first;
  private final byte[] before;

  /**
   * @param skip elements between the guard zone and the operand, so that nothing is aligned by
   *     chance
   */
  public Placement(Data data, Memory memory, int skip) {
    this.data = data;
    this.first = GUARD / data.dtype().bytes() + skip;
    this.before = bytes(data, first, GUARD);
    this.buffer = memory.allocate(before.length);
    memory.write(MemorySegment.ofArray(before), buffer, 0);
  }

  /** The operand's bytes with {@code first} elements of poison ahead and a guard zone behind. */
  public static byte[] bytes(Data data, long first, int guard) {
    int size = data.dtype().bytes();
    byte[] bytes = new byte[Math.toIntExact((first + data.span()) * size + guard)];
    Arrays.fill(bytes, POISON);
    if (data.values() != null) {
      MemorySegment segment = MemorySegment.ofArray(bytes);
      int count = data.count();
      for (int i = 0; i < count; i++) {
        Numbers.write(segment, (first + data.place(i)) * size, data.dtype(), data.values()[i]);
      }
    }
    return bytes;
  }

  public Operand operand() {
    return new Operand(buffer, first, data.dtype(), data.shape(), data.strides());
  }

  /** The elements' bits after the call; fails when anything around them changed. */
  int[] result() {
    byte[] after = new byte[before.length];
    buffer.memory().read(buffer, 0, MemorySegment.ofArray(after));
    int[] bits = data.written() ? take(data, first, after) : null;
    for (int i = 0; i < after.length; i++) {
      if (after[i] != before[i]) {
        throw new AssertionError(
            "%s: byte %d of its surroundings changed from %02x to %02x (operand at %d, %d elements)"
                .formatted(
                    data, i, before[i], after[i], first * data.dtype().bytes(), data.span()));
      }
    }
    return bits;
  }

  /** Takes the operand's elements out of its bytes and puts those of {@code before} back. */
  private int[] take(Data d, long from, byte[] after) {
    MemorySegment now = MemorySegment.ofArray(after);
    MemorySegment old = MemorySegment.ofArray(before);
    int size = d.dtype().bytes();
    int[] bits = new int[d.count()];
    for (int i = 0; i < bits.length; i++) {
      long at = (from + d.place(i)) * size;
      bits[i] = Numbers.bits(now, at, d.dtype());
      MemorySegment.copy(old, at, now, at, size);
    }
    return bits;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
