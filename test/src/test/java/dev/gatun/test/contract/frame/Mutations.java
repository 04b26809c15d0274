package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Random changes of what a kernel call is made of: few enough that most checks still pass. */
public final class Mutations {
  private static final long[] LENGTHS = {
    0,
    0,
    1,
    2,
    3,
    32,
    100,
    1 << 16,
    1L << 31,
    1L << 32,
    1L << 40,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE
  };
  private static final float[] FLOATS = {
    0, -0f, 1, -1, 1e-5f, 1e30f, Float.MIN_VALUE, Float.NaN, Float.POSITIVE_INFINITY
  };
  private static final List<BlockFormat> FORMATS = BlockFormat.all().toList();

  private final Random random;
  // What an operand may be moved to: other operands' memory, closed blocks, another backend's.
  private final List<Buffer> buffers;

  public Mutations(Random random, List<Buffer> buffers) {
    this.random = random;
    this.buffers = buffers;
  }

  /**
   * A record with some of its components changed.
   *
   * @throws RuntimeException what its constructor throws
   */
  public Object change(Record whole) {
    RecordComponent[] components = whole.getClass().getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    Object[] values = new Object[components.length];
    try {
      for (int i = 0; i < values.length; i++) {
        values[i] = components[i].getAccessor().invoke(whole);
      }
      for (int changes = 1 + random.nextInt(2); changes > 0; changes--) {
        int i = random.nextInt(values.length);
        values[i] = another(types[i], values[i], values);
      }
      return whole.getClass().getDeclaredConstructor(types).newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private Object another(Class<?> type, Object value, Object[] siblings) {
    if (type == long.class) {
      return random.nextBoolean() ? (long) value + random.nextInt(-2, 3) : number();
    }
    if (type == int.class) {
      return random.nextInt(-1, 300);
    }
    if (type == float.class) {
      return FLOATS[random.nextInt(FLOATS.length)];
    }
    if (type == double.class) {
      return (double) FLOATS[random.nextInt(FLOATS.length)];
    }
    if (type == boolean.class) {
      return random.nextBoolean();
    }
    if (random.nextInt(12) == 0) {
      return null;
    }
    if (type == Operand.class) {
      return operand((Operand) value, siblings);
    }
    if (type.isEnum()) {
      Object[] all = type.getEnumConstants();
      return all[random.nextInt(all.length)];
    }
    if (type == BlockFormat.class) {
      return FORMATS.get(random.nextInt(FORMATS.size()));
    }
    if (type == Indices.class) {
      // A bound is a promise, and not for a call to doubt.
      Operand values = value == null ? null : ((Indices) value).values();
      return Indices.unchecked(operand(values, siblings));
    }
    if (value instanceof List<?> list && !list.isEmpty()) {
      List<Object> other = new ArrayList<>(list);
      int i = random.nextInt(other.size());
      if (random.nextInt(4) == 0) {
        other.remove(i);
      } else {
        Object one = other.get(i);
        // An earlier change may have left nothing there.
        other.set(i, one == null ? null : another(one.getClass(), one, list.toArray()));
      }
      return other;
    }
    return value instanceof Record nested ? change(nested) : value;
  }

  private long number() {
    long some = LENGTHS[random.nextInt(LENGTHS.length)];
    return random.nextInt(8) == 0 ? -some : some;
  }

  private Operand operand(Operand old, Object[] siblings) {
    List<Operand> others = new ArrayList<>();
    for (Object sibling : siblings) {
      if (sibling instanceof Operand operand) {
        others.add(operand);
      }
    }
    if (old == null || random.nextInt(8) == 0) {
      return others.isEmpty() ? null : others.get(random.nextInt(others.size()));
    }
    Buffer buffer = old.buffer();
    long offset = old.offset();
    DType dtype = old.dtype();
    long[] shape = old.shape().clone();
    long[] strides = old.strides().clone();
    int axis = shape.length == 0 ? 0 : random.nextInt(shape.length);
    switch (random.nextInt(9)) {
      case 0 -> buffer = buffers.get(random.nextInt(buffers.size()));
      case 1 -> {
        if (!others.isEmpty()) {
          buffer = others.get(random.nextInt(others.size())).buffer();
        }
      }
      case 2 -> offset = random.nextBoolean() ? offset + random.nextInt(-100, 100) : number();
      case 3 -> dtype = DType.values()[random.nextInt(DType.values().length)];
      case 4 -> {
        shape = Arrays.copyOf(shape, random.nextInt(8));
        strides = Arrays.copyOf(strides, shape.length);
      }
      case 5 -> {
        if (shape.length > 0) {
          shape[axis] = number();
        }
      }
      case 6 -> {
        if (shape.length > 0) {
          strides[axis] = number();
        }
      }
      case 7 -> {
        if (shape.length > 0) {
          shape[axis] += random.nextInt(-3, 4);
        }
      }
      default -> {
        // Lengths of any size fit where nothing is there, or it is all one element.
        for (int i = 0; i < shape.length; i++) {
          shape[i] = random.nextInt(3) == 0 ? number() : shape[i];
          strides[i] = random.nextBoolean() ? 0 : strides[i];
        }
      }
    }
    return new Operand(buffer, offset, dtype, shape, strides);
  }
}
