package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.Struct.AddressField;
import dev.gatun.kernels.cuda.Struct.Field;
import dev.gatun.kernels.cuda.Struct.FloatField;
import dev.gatun.kernels.cuda.Struct.IntField;
import dev.gatun.kernels.cuda.Struct.LongField;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** The arguments of a launch, and a pointer to each. */
final class Arguments {
  private static final int MOST_BYTES = 4096;
  private static final int MOST = 40;

  private final MemorySegment values = Arena.ofAuto().allocate(MOST_BYTES, 64);
  private final MemorySegment pointers = Arena.ofAuto().allocate(ValueLayout.ADDRESS, MOST);
  private final int[] sizes = new int[MOST];
  private final StringBuilder letters = new StringBuilder();
  private int count;
  private int bytes;

  // The structure that is being written and where it begins; of a list how many items have begun.
  private Struct structure;
  private int start;
  private int items;

  // What fields are being set of: the structure or an item of it; where that begins, and a bit for
  // each element that is set.
  private Struct open;
  private int base;
  private long written;

  /** Begins anew. */
  Arguments clear() {
    count = 0;
    bytes = 0;
    structure = null;
    open = null;
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
      sizes[i] = other.sizes[i];
    }
    count = other.count;
    bytes = other.bytes;
    letters.append(other.letters);
    return this;
  }

  /** Where the next argument lies. */
  private int next(int alignment, int size) {
    int at = (bytes + alignment - 1) / alignment * alignment;
    pointers.setAtIndex(ValueLayout.ADDRESS, count, values.asSlice(at));
    sizes[count++] = size;
    bytes = at + size;
    return at;
  }

  private int place(char letter, int size) {
    letters.append(letter);
    return next(size, size);
  }

  Arguments address(long address) {
    values.set(ValueLayout.JAVA_LONG, place('p', Long.BYTES), address);
    return this;
  }

  /** The address of an operand's first element, 0 for none. */
  Arguments operand(Operand operand) {
    return address(CudaMemory.address(operand));
  }

  Arguments number(long value) {
    values.set(ValueLayout.JAVA_LONG, place('l', Long.BYTES), value);
    return this;
  }

  Arguments numbers(long... all) {
    for (long value : all) {
      number(value);
    }
    return this;
  }

  Arguments integer(int value) {
    values.set(ValueLayout.JAVA_INT, place('i', Integer.BYTES), value);
    return this;
  }

  Arguments real(float value) {
    values.set(ValueLayout.JAVA_FLOAT, place('f', Float.BYTES), value);
    return this;
  }

  /** What the driver made of a tensor's shape, {@code TensorMap}. */
  Arguments tensorMap(MemorySegment map) {
    int size = (int) map.byteSize();
    MemorySegment.copy(map, 0, values, next(64, size), size);
    letters.append("{TensorMap}");
    return this;
  }

  /**
   * Begins a structure: until {@link #end} each of its fields is set, in any order. Of a list those
   * of each item are, behind {@link #item}; what it has no items for is zeros.
   */
  Arguments begin(Struct of) {
    structure = of;
    start = next(Long.BYTES, of.bytes());
    if (of.item() == null) {
      open(of, start);
    } else {
      items = 0;
      values.asSlice(start, of.bytes()).fill((byte) 0);
    }
    return this;
  }

  private void open(Struct of, int at) {
    open = of;
    base = at;
    written = 0;
  }

  private void close() {
    if (open != null) {
      open.requireAll(written);
      open = null;
    }
  }

  /** The fields of the next item of a list follow. */
  Arguments item() {
    close();
    if (items == structure.items()) {
      throw new IllegalStateException(
          "%s has room for %d items".formatted(structure.name(), structure.items()));
    }
    open(structure.item(), start + items++ * structure.item().bytes());
    return this;
  }

  /**
   * Ends a structure.
   *
   * @throws IllegalStateException when a field of it is not set
   */
  Arguments end() {
    close();
    letters.append('{').append(structure.name()).append('}');
    structure = null;
    return this;
  }

  private int at(Field field, int i, int size) {
    if (field.of != open || i < 0 || i >= field.count) {
      throw new IllegalStateException(
          "%s.%s[%d] is no field of %s"
              .formatted(field.of.name(), field.name, i, open == null ? "nothing" : open.name()));
    }
    written |= 1L << field.first + i;
    return base + field.offset + i * size;
  }

  Arguments set(AddressField field, long address) {
    return set(field, 0, address);
  }

  Arguments set(AddressField field, int i, long address) {
    values.set(ValueLayout.JAVA_LONG, at(field, i, Long.BYTES), address);
    return this;
  }

  /** Sets it to the address of an operand's first element, 0 for none. */
  Arguments set(AddressField field, Operand operand) {
    return set(field, 0, CudaMemory.address(operand));
  }

  Arguments set(LongField field, long value) {
    return set(field, 0, value);
  }

  Arguments set(LongField field, int i, long value) {
    values.set(ValueLayout.JAVA_LONG, at(field, i, Long.BYTES), value);
    return this;
  }

  Arguments set(IntField field, int value) {
    values.set(ValueLayout.JAVA_INT, at(field, 0, Integer.BYTES), value);
    return this;
  }

  Arguments set(IntField field, boolean value) {
    return set(field, value ? 1 : 0);
  }

  Arguments set(FloatField field, float value) {
    return set(field, 0, value);
  }

  Arguments set(FloatField field, int i, float value) {
    values.set(ValueLayout.JAVA_FLOAT, at(field, i, Float.BYTES), value);
    return this;
  }

  /** A letter or a structure's name for each, as the list of kernels has them. */
  CharSequence letters() {
    return letters;
  }

  /** The bytes of each. */
  List<Integer> sizes() {
    return Arrays.stream(sizes, 0, count).boxed().toList();
  }

  MemorySegment pointers() {
    return pointers;
  }
}
