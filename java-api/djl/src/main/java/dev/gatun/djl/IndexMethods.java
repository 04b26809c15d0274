package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import java.util.Arrays;

/** Elements at places that other arrays name. */
interface IndexMethods extends ArrayMethods {
  @Override
  default NDArray gather(NDArray index, int axis) {
    if (isNoIndex(index)) {
      try (NDArray whole = index.toType(DataType.INT64, false)) {
        return gather(whole, axis);
      }
    }
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
    return Tape.record(
        self().make(y),
        "gather",
        Keeps.INPUTS,
        step -> {
          GatunNDArray all = (GatunNDArray) step.input(0).zerosLike();
          if (all.isScalar()) {
            step.give(0, step.gradient());
            return;
          }
          int at = axis("gather", axis);
          kernels().scatterAdd(all.data(), step.input(1).data(), at, step.gradient().data());
          step.give(0, all);
        },
        self(),
        own(index));
  }

  /** Whether it is of a type that DJL's PyTorch engine makes INT64 of before it is an index. */
  private static boolean isNoIndex(NDArray index) {
    return index.getDataType().isFloating() || index.getDataType() == DataType.BOOLEAN;
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
    if (isNoIndex(index)) {
      try (NDArray whole = index.toType(DataType.INT64, false)) {
        return scatter(whole, value, axis);
      }
    }
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
    GatunNDArray result = untracked();
    Shape full = value.getShape();
    try {
      if (places.rank() == 0) {
        kernels().copy(taken, result.data());
      } else {
        kernels().scatter(result.data(), places, at, taken);
      }
      return Tape.record(
          result,
          "scatter",
          Keeps.INPUTS,
          step -> {
            GatunNDArray chosen = step.input(2);
            if (step.needs(0)) {
              NDArray none = chosen.zerosLike().toType(step.gradient().getDataType(), false);
              step.give(0, step.gradient().scatter(chosen, none, at));
            }
            if (step.needs(1)) {
              GatunNDArray all =
                  (GatunNDArray) step.scratch().zeros(full, step.gradient().getDataType());
              Strided read = all.data();
              for (int i = 0; i < read.rank(); i++) {
                read = read.sliced(i, 0, chosen.data().size(i), 1);
              }
              GatunNDArray g = (GatunNDArray) step.gradient().gather(chosen, at);
              kernels().copy(g.data(), read);
              step.give(1, all);
            }
          },
          self(),
          own(value),
          own(index));
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
      return Tape.record(
          ((GatunNDManager) manager).make(y),
          "take",
          Keeps.INPUTS,
          step -> {
            GatunNDArray all = (GatunNDArray) step.input(0).zerosLike();
            long[] at = kernels().numbers(step.input(1).data());
            kernels()
                .indexedAdd(
                    all.data().whole(),
                    new int[] {0},
                    new long[][] {at},
                    ((GatunNDArray) step.gradient().flatten()).data());
            step.give(0, all);
          },
          self(),
          own(index));
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
    GatunNDArray whole = untracked();
    try (GatunNDArray flat = (GatunNDArray) whole.flatten();
        GatunNDArray given = (GatunNDArray) own(value).flatten()) {
      kernels()
          .indexed(
              flat.data(),
              new int[] {0},
              new long[][] {kernels().numbers(places)},
              given.data(),
              true);
      Shape shape = value.getShape();
      return Tape.record(
          whole,
          "put",
          Keeps.INPUTS,
          step -> {
            GatunNDArray chosen = step.input(2);
            if (step.needs(0)) {
              NDArray none = step.scratch().zeros(chosen.getShape(), step.gradient().getDataType());
              step.give(0, step.gradient().put(chosen, none));
            }
            step.give(1, step.gradient().take(step.scratch(), chosen).reshape(shape));
          },
          self(),
          own(value),
          own(index));
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
    if (places.rank() == 1) {
      // Of one place it is a view, as an index of numbers.
      return get(kernels().numbers(places));
    }
    long[][] indices = new long[depth][];
    int[] axes = new int[depth];
    for (int i = 0; i < depth; i++) {
      axes[i] = i;
      indices[i] = kernels().numbers(places.selected(0, i));
    }
    Shape shape = index.getShape().slice(1).addAll(getShape().slice(depth));
    return Tape.record(
        self().getManager().make(taken(x, axes, indices, shape)),
        "gatherNd",
        Keeps.INPUTS,
        step -> {
          GatunNDArray all = (GatunNDArray) step.input(0).zerosLike();
          long[][] at = new long[depth][];
          for (int i = 0; i < depth; i++) {
            at[i] = kernels().numbers(step.input(1).data().selected(0, i));
          }
          Shape rows = new Shape(at[0].length).addAll(all.getShape().slice(depth));
          GatunNDArray g = (GatunNDArray) step.gradient().reshape(rows);
          kernels().indexedAdd(all.data(), axes, at, g.data());
          step.give(0, all);
        },
        self(),
        own(index));
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
    if (index.isScalar()) {
      // One truth of all: no places or one.
      int at = Math.clamp(axis, 0, x.rank());
      try (NDArray row = expandDims(at);
          NDArray told = index.reshape(1)) {
        return row.booleanMask(told, at);
      }
    }
    if (masked.equals(shape)) {
      return recorded(self().make(maskedRow(x, own(index).data())), index);
    }
    int behind = axis + masked.dimension();
    if (axis >= 0 && behind < x.rank() && masked.equals(shape.slice(axis, behind))) {
      // Each truth is of all that lies behind the mask's axes.
      try (NDArray spread = index.reshape(masked.addAll(ones(x.rank() - behind)));
          NDArray whole = spread.broadcast(shape.slice(axis))) {
        long each = shape.slice(behind).size();
        long chosen = kernels().countTrue(own(index).data());
        Strided told = own(whole).data().expanded("booleanMask", x.shape());
        Strided row = maskedRow(x, told);
        Shape result = shape.slice(0, axis).add(chosen).addAll(shape.slice(behind));
        return recorded(self().make(row.reshaped(result.getShape())), whole);
      }
    }
    if (axis >= 0 && axis <= x.rank() && masked.equals(shape.slice(axis))) {
      Strided mask = own(index).data().expanded("booleanMask", x.shape());
      Strided row = maskedRow(x, mask);
      long each = shape.slice(0, axis).size();
      Shape result = shape.slice(0, axis).add(row.count() / each);
      return recorded(self().make(row.reshaped(result.getShape())), index);
    }
    throw new UnsupportedOperationException(
        "booleanMask: mask of shape %s, expected that of the array from axis %d, %s"
            .formatted(masked, axis, shape));
  }

  private static Shape ones(int axes) {
    long[] shape = new long[axes];
    Arrays.fill(shape, 1);
    return new Shape(shape);
  }

  private GatunNDArray recorded(GatunNDArray result, NDArray mask) {
    return Tape.record(
        result,
        "booleanMask",
        Keeps.INPUTS,
        step -> {
          GatunNDArray all = (GatunNDArray) step.input(0).zerosLike();
          Strided chosen = step.input(1).data().expanded("booleanMask", all.data().shape());
          GatunNDArray g = (GatunNDArray) step.gradient().flatten();
          kernels().masked(all.data(), chosen, g.data(), true);
          step.give(0, all);
        },
        self(),
        own(mask));
  }

  /** A copy through which no gradient comes. */
  private GatunNDArray untracked() {
    try (GatunNDArray view = (GatunNDArray) stopGradient()) {
      return view.duplicate();
    }
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
      throw new IllegalArgumentException(
          "sequenceMask: %d lengths of %s, expected [batch, length, ...] and one a sequence"
              .formatted(sequenceLength.size(), getShape()));
    }
    long[] lengths = kernels().numbers(own(sequenceLength).data());
    GatunNDArray result = untracked();
    for (int i = 0; i < lengths.length && x.count() > 0; i++) {
      Strided sequence = result.data().selected(0, i);
      long begin = Math.clamp(lengths[i], 0, sequence.size(0));
      kernels().fill(sequence.sliced(0, begin, sequence.size(0) - begin, 1), value);
    }
    return Tape.record(
        result,
        "sequenceMask",
        Keeps.INPUTS,
        step -> step.give(0, step.gradient().sequenceMask(step.input(1), 0)),
        self(),
        own(sequenceLength));
  }

  @Override
  default NDArray sequenceMask(NDArray sequenceLength) {
    return sequenceMask(sequenceLength, 0);
  }

  @Override
  default NDArray nonzero() {
    if (isScalar()) {
      try (NDArray row = reshape(1)) {
        return row.nonzero();
      }
    }
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
    if (depth == -1) {
      // PyTorch's: as many as the largest needs.
      long most = Arrays.stream(numbers).max().orElse(-1);
      if (most < 0) {
        throw Refusal.wrong("oneHot: of %s no depth can be told, expected one", getShape());
      }
      return oneHot(Math.toIntExact(most + 1), onValue, offValue, dataType);
    }
    if (depth < 0) {
      throw Refusal.wrong("oneHot: depth %d, expected 0 or more, or -1", depth);
    }
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
