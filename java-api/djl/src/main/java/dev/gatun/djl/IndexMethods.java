package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import java.util.Arrays;

/** Elements at places that other arrays name. */
interface IndexMethods extends ArrayMethods {
  @Override
  default NDArray gather(NDArray index, int axis) {
    Strided x = self().data();
    Strided places = own(index).data();
    requireAlong("gather", x, places, axis);
    Strided y = Strided.allocate(x.type(), places.shape());
    try {
      if (x.rank() == 0) {
        kernels().copy(x, y);
      } else {
        kernels().gather(x, places, axis("gather", axis), y);
      }
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
    return self().make(y);
  }

  private void requireAlong(String op, Strided x, Strided index, int axis) {
    int at = axis(op, axis);
    boolean fits = index.rank() == x.rank() && index.type().isInteger();
    for (int i = 0; fits && i < x.rank(); i++) {
      fits = i == at || index.size(i) <= x.size(i);
    }
    if (!fits) {
      throw Refusal.wrong(
          "%s: index is %s %s, expected whole numbers of %d axes within %s",
          op, index.type(), Arrays.toString(index.shape()), x.rank(), getShape());
    }
  }

  @Override
  default NDArray scatter(NDArray index, NDArray value, int axis) {
    Strided places = own(index).data();
    requireAlong("scatter", self().data(), places, axis);
    Strided values = own(value).data();
    int at = axis("scatter", axis);
    if (values.type() != getDataType() || values.rank() != places.rank()) {
      throw Refusal.wrong(
          "scatter: values are %s %s, expected %s of index's shape",
          values.type(), Arrays.toString(values.shape()), getDataType());
    }
    Strided taken = values;
    for (int i = 0; i < places.rank(); i++) {
      if (places.size(i) > values.size(i)) {
        throw Refusal.wrong(
            "scatter: axis %d of the values has %d places, index %d",
            i, values.size(i), places.size(i));
      }
      taken = taken.sliced(i, 0, places.size(i), 1);
    }
    GatunNDArray result = self().duplicate();
    try {
      kernels().scatter(result.data(), places, at, taken);
      return result;
    } catch (RuntimeException | Error e) {
      result.close();
      throw e;
    }
  }

  @Override
  default NDArray take(NDManager manager, NDArray index) {
    Strided x = self().data();
    Strided places = own(index).data();
    try (GatunNDArray flat = (GatunNDArray) flatten()) {
      Strided y = Strided.allocate(x.type(), places.shape());
      try {
        kernels()
            .indexed(
                flat.data(),
                new int[] {0},
                new long[][] {kernels().numbers(places)},
                y.reshaped(places.count()),
                false);
      } catch (RuntimeException | Error e) {
        y.store().release();
        throw e;
      }
      return ((GatunNDManager) manager).make(y);
    }
  }

  @Override
  default NDArray put(NDArray index, NDArray value) {
    Strided x = self().data();
    Strided places = own(index).data();
    Strided values = own(value).data();
    if (values.type() != x.type() || values.count() != places.count()) {
      throw Refusal.wrong(
          "put: values are %s %s, expected %s, as many as index has",
          values.type(), Arrays.toString(values.shape()), x.type());
    }
    GatunNDArray whole = self().duplicate();
    try (GatunNDArray flat = (GatunNDArray) whole.flatten();
        GatunNDArray given = (GatunNDArray) own(value).flatten()) {
      kernels()
          .indexed(
              flat.data(),
              new int[] {0},
              new long[][] {kernels().numbers(places)},
              given.data(),
              true);
      return whole;
    } catch (RuntimeException | Error e) {
      whole.close();
      throw e;
    }
  }

  @Override
  default NDArray gatherNd(NDArray index) {
    Strided x = self().data();
    Strided places = own(index).data();
    int depth = places.rank() == 0 ? 0 : (int) places.size(0);
    if (places.rank() == 0 || depth > x.rank() || depth == 0) {
      throw new IllegalArgumentException(
          "gatherNd: index has shape %s, expected a first axis of 1 to %d"
              .formatted(index.getShape(), x.rank()));
    }
    long[][] indices = new long[depth][];
    int[] axes = new int[depth];
    for (int i = 0; i < depth; i++) {
      axes[i] = i;
      indices[i] = kernels().numbers(places.selected(0, i));
    }
    Shape shape = index.getShape().slice(1).addAll(getShape().slice(depth));
    return self().getManager().make(taken(x, axes, indices, shape));
  }

  private Strided taken(Strided x, int[] axes, long[][] indices, Shape shape) {
    long[] rows = new long[x.rank() - axes.length + 1];
    rows[0] = indices[0].length;
    System.arraycopy(x.shape(), axes.length, rows, 1, rows.length - 1);
    Strided y = Strided.allocate(x.type(), rows);
    try {
      kernels().indexed(x, axes, indices, y, false);
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
    return y.reshaped(shape.getShape());
  }

  @Override
  default NDArray booleanMask(NDArray index, int axis) {
    Strided x = self().data();
    Shape shape = getShape();
    Shape masked = index.getShape();
    if (masked.equals(shape)) {
      return self().make(maskedRow(x, own(index).data()));
    }
    if (axis >= 0 && axis <= x.rank() && masked.equals(shape.slice(axis))) {
      Strided mask = own(index).data().expanded("booleanMask", x.shape());
      Strided row = maskedRow(x, mask);
      long each = shape.slice(0, axis).size();
      return self().make(row.reshaped(shape.slice(0, axis).add(row.count() / each).getShape()));
    }
    throw new UnsupportedOperationException(
        "booleanMask: mask of shape %s, expected that of the array from axis %d, %s"
            .formatted(masked, axis, shape));
  }

  private Strided maskedRow(Strided x, Strided mask) {
    Strided y = Strided.allocate(x.type(), kernels().countTrue(mask));
    kernels().masked(x, mask, y, false);
    return y;
  }

  @Override
  default NDArray sequenceMask(NDArray sequenceLength, float value) {
    Strided x = self().data();
    if (x.rank() < 2 || sequenceLength.size() != x.size(0)) {
      throw Refusal.wrong(
          "sequenceMask: %d lengths of %s, expected [batch, length, ...] and one a sequence",
          sequenceLength.size(), getShape());
    }
    long[] lengths = kernels().numbers(own(sequenceLength).data());
    GatunNDArray result = self().duplicate();
    for (int i = 0; i < lengths.length; i++) {
      Strided sequence = result.data().selected(0, i);
      long begin = Math.clamp(lengths[i], 0, sequence.size(0));
      kernels().fill(sequence.sliced(0, begin, sequence.size(0) - begin, 1), value);
    }
    return result;
  }

  @Override
  default NDArray sequenceMask(NDArray sequenceLength) {
    return sequenceMask(sequenceLength, 0);
  }

  @Override
  default NDArray nonzero() {
    Strided x = self().data();
    try (GatunNDArray told = self().toType(DataType.BOOLEAN, true)) {
      long[] flags = kernels().numbers(told.data());
      int count = 0;
      for (long flag : flags) {
        count += (int) flag;
      }
      int rank = x.rank();
      long[] places = new long[count * rank];
      int at = 0;
      for (int i = 0; i < flags.length; i++) {
        if (flags[i] != 0) {
          long left = i;
          for (int axis = rank - 1; axis >= 0; axis--) {
            places[at + axis] = left % x.size(axis);
            left /= x.size(axis);
          }
          at += rank;
        }
      }
      return self().getManager().create(places, new Shape(count, rank));
    }
  }

  @Override
  default NDArray oneHot(int depth) {
    return oneHot(depth, 1, 0, DataType.FLOAT32);
  }

  @Override
  default NDArray oneHot(int depth, DataType dataType) {
    return oneHot(depth, 1, 0, dataType);
  }

  @Override
  default NDArray oneHot(int depth, float onValue, float offValue, DataType dataType) {
    long[] numbers = kernels().numbers(self().data());
    Strided y = Strided.allocate(dataType, getShape().add(depth).getShape());
    kernels().fill(y, offValue);
    Strided rows = y.reshaped(numbers.length, depth);
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] < 0 || numbers[i] >= depth) {
        y.store().release();
        throw Refusal.wrong("oneHot: %d is outside of 0 to %d", numbers[i], depth - 1);
      }
      kernels().fill(rows.selected(0, i).selected(0, numbers[i]), onValue);
    }
    return self().make(y);
  }
}
