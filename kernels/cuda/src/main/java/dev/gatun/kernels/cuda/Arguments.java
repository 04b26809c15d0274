package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The arguments of a launch, and a pointer to each. */
final class Arguments {
  private static final int MOST_BYTES = 4096;
  private static final int MOST = 40;

  private final MemorySegment values = Arena.ofAuto().allocate(MOST_BYTES, 64);
  private final MemorySegment pointers = Arena.ofAuto().allocate(ValueLayout.ADDRESS, MOST);
  private final StringBuilder letters = new StringBuilder();
  private int count;
  private int bytes;
  // Where the structure that is being written begins, or -1.
  private int structure = -1;

  /** Begins anew. */
  Arguments clear() {
    count = 0;
    bytes = 0;
    structure = -1;
    letters.setLength(0);
    return this;
  }

  /** Takes over the arguments of another launch, to add to them. */
  Arguments copy(Arguments other) {
    MemorySegment.copy(other.values, 0, values, 0, other.bytes);
    for (int i = 0; i < other.count; i++) {
      long offset =
          other.pointers.getAtIndex(ValueLayout.ADDRESS, i).address() - other.values.address();
      pointers.setAtIndex(ValueLayout.ADDRESS, i, values.asSlice(offset));
    }
    count = other.count;
    bytes = other.bytes;
    letters.append(other.letters);
    return this;
  }

  private long place(String letter, int size) {
    bytes = (bytes + size - 1) / size * size;
    if (structure < 0) {
      pointers.setAtIndex(ValueLayout.ADDRESS, count++, values.asSlice(bytes));
      letters.append(letter);
    }
    bytes += size;
    return bytes - size;
  }

  Arguments address(long address) {
    values.set(ValueLayout.JAVA_LONG, place("p", 8), address);
    return this;
  }

  /** The address of an operand's first element, 0 for none. */
  Arguments operand(Operand operand) {
    return address(
        operand == null ? 0 : CudaMemory.address(operand.buffer()) + operand.byteOffset());
  }

  Arguments number(long value) {
    values.set(ValueLayout.JAVA_LONG, place("l", 8), value);
    return this;
  }

  Arguments numbers(long... all) {
    for (long value : all) {
      number(value);
    }
    return this;
  }

  Arguments integer(int value) {
    values.set(ValueLayout.JAVA_INT, place("i", 4), value);
    return this;
  }

  Arguments real(float value) {
    values.set(ValueLayout.JAVA_FLOAT, place("f", 4), value);
    return this;
  }

  /** A structure of bytes, aligned to 64. */
  Arguments bytes(MemorySegment structure) {
    bytes = (bytes + 63) / 64 * 64;
    pointers.setAtIndex(ValueLayout.ADDRESS, count++, values.asSlice(bytes));
    MemorySegment.copy(structure, 0, values, bytes, structure.byteSize());
    letters.append('s').append(structure.byteSize());
    bytes += (int) structure.byteSize();
    return this;
  }

  /** What follows until {@link #end} are the fields of one argument. */
  Arguments begin() {
    bytes = (bytes + 7) / 8 * 8;
    structure = bytes;
    pointers.setAtIndex(ValueLayout.ADDRESS, count++, values.asSlice(bytes));
    return this;
  }

  Arguments end() {
    bytes = (bytes + 7) / 8 * 8;
    letters.append('s').append(bytes - structure);
    structure = -1;
    return this;
  }

  /** A letter for each, as the list of kernels has them. */
  String letters() {
    return letters.toString();
  }

  MemorySegment pointers() {
    return pointers;
  }
}
