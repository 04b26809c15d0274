package dev.gatun.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * A structure of {@code cuda-src}, laid out as C++ does: a field lies at the next multiple of its
 * size. {@link Declarations} has them all.
 */
final class Struct {
  /** A field, or an array of one type. Its elements are numbered on from those before it. */
  abstract static sealed class Field {
    final Struct of;
    final String name;
    final int offset;
    final int first;
    final int count;

    private Field(Struct of, String name, int bytes, int count) {
      if (of.item != null || of.elements + count > Long.SIZE) {
        throw new IllegalArgumentException(
            "%s.%s: a structure has up to %d numbers, or is a list"
                .formatted(of.name, name, Long.SIZE));
      }
      this.of = of;
      this.name = name;
      this.offset = of.reserve(bytes, count);
      this.first = of.elements;
      this.count = count;
      of.elements += count;
      of.fields.add(this);
    }

    boolean isArray() {
      return count > 1;
    }
  }

  /** Pointers. */
  static final class AddressField extends Field {
    private AddressField(Struct of, String name, int count) {
      super(of, name, Long.BYTES, count);
    }
  }

  /** Integers of 64 bits. */
  static final class LongField extends Field {
    private LongField(Struct of, String name, int count) {
      super(of, name, Long.BYTES, count);
    }
  }

  /** Integers of 32 bits. */
  static final class IntField extends Field {
    private IntField(Struct of, String name, int count) {
      super(of, name, Integer.BYTES, count);
    }
  }

  /** Floats. */
  static final class FloatField extends Field {
    private FloatField(Struct of, String name, int count) {
      super(of, name, Float.BYTES, count);
    }
  }

  private final String name;
  private final Struct item;
  private final int items;
  private final List<Field> fields = new ArrayList<>();
  private int elements;
  private int end;
  private int alignment = 1;

  /** Without fields yet. */
  Struct(String name) {
    this.name = name;
    this.item = null;
    this.items = 0;
  }

  /** An array of structures is all that it has. */
  Struct(String name, Struct item, int items) {
    this.name = name;
    this.item = item;
    this.items = items;
    this.alignment = item.alignment;
    this.end = item.bytes() * items;
  }

  AddressField address(String field, int count) {
    return new AddressField(this, field, count);
  }

  LongField number(String field, int count) {
    return new LongField(this, field, count);
  }

  IntField integer(String field, int count) {
    return new IntField(this, field, count);
  }

  FloatField real(String field, int count) {
    return new FloatField(this, field, count);
  }

  private int reserve(int bytes, int count) {
    int offset = (end + bytes - 1) / bytes * bytes;
    end = offset + bytes * count;
    alignment = Math.max(alignment, bytes);
    return offset;
  }

  /** C++'s name. */
  String name() {
    return name;
  }

  int bytes() {
    return (end + alignment - 1) / alignment * alignment;
  }

  /** What it is a list of, or null. */
  Struct item() {
    return item;
  }

  /** How many items a list has room for. */
  int items() {
    return items;
  }

  /**
   * Requires that all is set.
   *
   * @param written the bit of each element that is
   * @throws IllegalStateException that names what is not
   */
  void requireAll(long written) {
    if (written == -1L >>> Long.SIZE - elements) {
      return;
    }
    for (Field field : fields) {
      for (int i = 0; i < field.count; i++) {
        if ((written >>> field.first + i & 1) == 0) {
          throw new IllegalStateException(
              "%s.%s%s is not set, expected all of its fields to be"
                  .formatted(name, field.name, field.isArray() ? "[" + i + "]" : ""));
        }
      }
    }
  }
}
