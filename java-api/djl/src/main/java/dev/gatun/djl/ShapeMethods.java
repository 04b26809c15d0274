package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Other shapes of the same elements, which share memory where PyTorch's do, and repetitions. */
interface ShapeMethods extends ArrayMethods {
  @Override
  default NDArray reshape(Shape shape) {
    Strided x = self().data();
    long[] lengths = shape.getShape().clone();
    int open = -1;
    long known = 1;
    for (int axis = 0; axis < lengths.length; axis++) {
      if (lengths[axis] == -1 && open < 0) {
        open = axis;
      } else {
        known *= lengths[axis];
      }
    }
    if (open >= 0) {
      lengths[open] = known == 0 ? 0 : x.count() / known;
    }
    if (Arrays.stream(lengths).anyMatch(length -> length < 0)
        || Strided.count(lengths) != x.count()) {
      throw Refusal.wrong("reshape: shape %s cannot become %s", getShape(), shape);
    }
    Strided view = x.reshaped(lengths);
    if (view != null) {
      return self().view(view);
    }
    Strided whole = Strided.allocate(x.type(), x.shape());
    kernels().copy(x, whole);
    Shape before = getShape();
    return Tape.record(
        self().make(whole.reshaped(lengths)),
        "reshape",
        Keeps.NOTHING,
        step -> step.give(0, step.gradient().reshape(before)),
        self());
  }

  @Override
  default NDArray flatten() {
    return reshape(-1);
  }

  @Override
  default NDArray flatten(int startDim, int endDim) {
    if (isScalar()) {
      return reshape(1);
    }
    int first = axis("flatten", startDim);
    int last = axis("flatten", endDim);
    if (first > last) {
      throw Refusal.wrong("flatten: axis %d is behind axis %d", startDim, endDim);
    }
    Shape shape = getShape();
    long length = shape.slice(first, last + 1).size();
    return reshape(shape.slice(0, first).add(length).addAll(shape.slice(last + 1)));
  }

  @Override
  default NDArray expandDims(int axis) {
    Strided x = self().data();
    int at = axis < 0 ? axis + x.rank() + 1 : axis;
    if (at < 0 || at > x.rank()) {
      throw Refusal.wrong(
          "expandDims: axis %d is outside of %d to %d", axis, -x.rank() - 1, x.rank());
    }
    return self().view(x.inserted(at));
  }

  /** An axis of another length than 1 stays, as in PyTorch. */
  @Override
  default NDArray squeeze(int axis) {
    Strided x = self().data();
    int at = axis("squeeze", axis);
    return self().view(x.rank() > 0 && x.size(at) == 1 ? x.selected(at, 0) : x);
  }

  @Override
  default NDArray squeeze(int[] axes) {
    Strided x = self().data();
    if (x.rank() == 0) {
      if (axes.length == 0 || (axes.length == 1 && axes[0] == 0)) {
        return duplicate();
      }
      throw new IllegalArgumentException(
          "squeeze: axis %d of an array without axes".formatted(axes[0]));
    }
    boolean[] out = new boolean[x.rank()];
    for (int axis : axes) {
      int at = axis("squeeze", axis);
      if (x.size(at) != 1) {
        throw new IllegalArgumentException(
            "squeeze: axis %d of %s, expected one of length 1".formatted(axis, getShape()));
      }
      out[at] = true;
    }
    Strided y = x;
    for (int axis = x.rank() - 1; axis >= 0; axis--) {
      y = out[axis] ? y.selected(axis, 0) : y;
    }
    return self().view(y);
  }

  @Override
  default NDArray swapAxes(int axis1, int axis2) {
    Strided x = self().data();
    int first = axis("swapAxes", axis1);
    int second = axis("swapAxes", axis2);
    int[] order = IntStream.range(0, x.rank()).toArray();
    if (order.length > 0) {
      order[first] = second;
      order[second] = first;
    }
    return self().view(x.permuted(order));
  }

  @Override
  default NDArray transpose() {
    int rank = getShape().dimension();
    int[] axes = new int[rank];
    for (int axis = 0; axis < rank; axis++) {
      axes[axis] = rank - 1 - axis;
    }
    return transpose(axes);
  }

  @Override
  default NDArray transpose(int... axes) {
    Strided x = self().data();
    boolean[] seen = new boolean[x.rank()];
    int[] order = new int[axes.length];
    boolean fits = axes.length == x.rank();
    for (int i = 0; fits && i < axes.length; i++) {
      int axis = axes[i] < 0 ? axes[i] + x.rank() : axes[i];
      fits = axis >= 0 && axis < x.rank() && !seen[axis];
      if (fits) {
        seen[axis] = true;
        order[i] = axis;
      }
    }
    if (!fits) {
      throw Refusal.wrong(
          "transpose: axes %s of an array of %d, expected each once",
          Arrays.toString(axes), x.rank());
    }
    return self().view(x.permuted(order));
  }

  @Override
  default NDArray broadcast(Shape shape) {
    return self().view(self().data().expanded("broadcast", shape.getShape()));
  }

  @Override
  default NDList split(long sections, int axis) {
    Strided x = self().data();
    int at = axis("split", axis);
    if (x.rank() == 0) {
      throw Refusal.wrong("split: an array without axes");
    }
    long length = x.size(at);
    if (length == 0 && sections > 0) {
      return new NDList(self().view(x));
    }
    long each = sections <= 0 ? 0 : length / sections;
    if (each == 0) {
      throw Refusal.wrong("split: an axis of length %d in %d sections", length, sections);
    }
    // As PyTorch's of this size: what is left over is a section more.
    long[] begins = new long[Math.toIntExact(Math.ceilDiv(length, each)) - 1];
    for (int i = 0; i < begins.length; i++) {
      begins[i] = (i + 1) * each;
    }
    return split(begins, axis);
  }

  @Override
  default NDList split(long[] indices, int axis) {
    if (indices.length == 0) {
      return new NDList(this);
    }
    Strided x = self().data();
    int at = axis("split", axis);
    if (x.rank() == 0) {
      throw new IllegalArgumentException("split: an array without axes");
    }
    NDList parts = new NDList(indices.length + 1);
    long begin = 0;
    for (int i = 0; i <= indices.length; i++) {
      long end = i == indices.length ? x.size(at) : indices[i];
      if (end < begin || end > x.size(at)) {
        throw Refusal.wrong(
            "split: indices %s of an axis of length %d, expected ones that rise within it",
            Arrays.toString(indices), x.size(at));
      }
      parts.add(self().view(x.sliced(at, begin, end - begin, 1)));
      begin = end;
    }
    return parts;
  }

  @Override
  default NDArray diagonal() {
    return diagonal(0, 0, 1);
  }

  @Override
  default NDArray diagonal(int offset) {
    return diagonal(offset, 0, 1);
  }

  @Override
  default NDArray diagonal(int offset, int axis1, int axis2) {
    int first = axis("diagonal", axis1);
    int second = axis("diagonal", axis2);
    Strided x = self().data();
    if (first == second || x.rank() < 2) {
      throw Refusal.wrong("diagonal: axes %d and %d of %s, expected two", axis1, axis2, getShape());
    }
    return self().view(x.diagonal(offset, first, second));
  }

  @Override
  default NDArray flip(int... axes) {
    Strided x = self().data();
    boolean[] seen = new boolean[Math.max(1, x.rank())];
    Strided turned = x;
    for (int axis : axes) {
      int at = axis("flip", axis);
      if (seen[at]) {
        throw Refusal.wrong("flip: axis %d is given twice", at);
      }
      seen[at] = true;
      turned = x.rank() == 0 ? x : turned.reversed(at);
    }
    Strided y = Strided.allocate(x.type(), x.shape());
    kernels().copy(turned, y);
    return Tape.record(
        self().make(y),
        "flip",
        Keeps.NOTHING,
        step -> step.give(0, step.gradient().flip(axes)),
        self());
  }

  @Override
  default NDArray rotate90(int times, int[] axes) {
    if (axes.length != 2) {
      throw new IllegalArgumentException("rotate90: %d axes, expected 2".formatted(axes.length));
    }
    int first = axis("rotate90", axes[0]);
    int second = axis("rotate90", axes[1]);
    if (first == second) {
      throw Refusal.wrong("rotate90: axes %s, expected two", Arrays.toString(axes));
    }
    return switch (Math.floorMod(times, 4)) {
      case 1 -> {
        try (NDArray flipped = flip(second)) {
          yield flipped.swapAxes(first, second);
        }
      }
      case 2 -> flip(first, second);
      case 3 -> {
        try (NDArray flipped = flip(first)) {
          yield flipped.swapAxes(first, second);
        }
      }
      default -> duplicate();
    };
  }

  @Override
  default NDArray tile(long repeats) {
    if (isEmpty()) {
      return duplicate();
    }
    long[] each = new long[isScalar() ? 1 : getShape().dimension()];
    Arrays.fill(each, repeats);
    return tile(each);
  }

  @Override
  default NDArray tile(int axis, long repeats) {
    if (isScalar()) {
      throw new IllegalArgumentException("tile: an array without axes has no axis " + axis);
    }
    long[] each = new long[getShape().dimension()];
    Arrays.fill(each, 1);
    each[axis("tile", axis)] = repeats;
    return tile(each);
  }

  @Override
  default NDArray tile(long[] repeats) {
    return repeated("tile", repeats, true);
  }

  @Override
  default NDArray tile(Shape desiredShape) {
    return tile(repeatsTo("tile", desiredShape));
  }

  @Override
  default NDArray repeat(long repeats) {
    if (isEmpty()) {
      return duplicate();
    }
    long[] each = new long[isScalar() ? 1 : getShape().dimension()];
    Arrays.fill(each, repeats);
    return repeat(each);
  }

  @Override
  default NDArray repeat(int axis, long repeats) {
    int rank = isScalar() ? 1 : getShape().dimension();
    long[] each = new long[rank];
    Arrays.fill(each, 1);
    each[axis("repeat", axis)] = repeats;
    return repeat(each);
  }

  @Override
  default NDArray repeat(long[] repeats) {
    return repeated("repeat", repeats, false);
  }

  @Override
  default NDArray repeat(Shape desiredShape) {
    return repeat(repeatsTo("repeat", desiredShape));
  }

  private long[] repeatsTo(String op, Shape desired) {
    long[] shape = getShape().getShape();
    long[] wanted = desired.getShape();
    if (wanted.length > shape.length) {
      throw new IllegalArgumentException(
          "%s: shape %s to %s, which has more axes".formatted(op, getShape(), desired));
    }
    long[] each = new long[shape.length];
    Arrays.fill(each, 1);
    for (int i = 0; i < wanted.length; i++) {
      int axis = shape.length - wanted.length + i;
      if (shape[axis] == 0 || wanted[i] % shape[axis] != 0) {
        throw new IllegalArgumentException(
            "%s: shape %s to %s, which is no multiple".formatted(op, getShape(), desired));
      }
      each[axis] = wanted[i] / shape[axis];
    }
    return each;
  }

  /** All elements of an axis over and over, or each of them. */
  private GatunNDArray repeated(String op, long[] repeats, boolean whole) {
    Strided x = self().data();
    int rank = Math.max(x.rank(), repeats.length);
    long[] shape = new long[2 * rank];
    Strided spread = x;
    for (int i = x.rank(); i < rank; i++) {
      spread = spread.inserted(0);
    }
    long[] target = new long[rank];
    for (int axis = rank - 1; axis >= 0; axis--) {
      int given = axis - (rank - repeats.length);
      long times = given < 0 ? 1 : repeats[given];
      // Repetitions of the first axes, where fewer are given: NumPy's repeat begins at the first.
      if (!whole) {
        times = axis < repeats.length ? repeats[axis] : 1;
      }
      if (times < 0) {
        throw new IllegalArgumentException("%s: %d times".formatted(op, times));
      }
      target[axis] = spread.size(axis) * times;
      shape[2 * axis] = whole ? times : spread.size(axis);
      shape[2 * axis + 1] = whole ? spread.size(axis) : times;
    }
    for (int axis = rank - 1; axis >= 0; axis--) {
      spread = spread.inserted(whole ? axis : axis + 1);
    }
    Strided y = Strided.allocate(x.type(), target);
    kernels().copy(spread.expanded(op, shape), y.reshaped(shape));
    Shape before = getShape();
    int[] repeated = IntStream.range(0, rank).map(i -> 2 * i + (whole ? 0 : 1)).toArray();
    return Tape.record(
        self().make(y),
        op,
        Keeps.NOTHING,
        step -> {
          NDArray g = step.gradient().reshape(new Shape(shape)).sum(repeated, false);
          step.give(0, g.reshape(before));
        },
        self());
  }

  @Override
  default NDArray pad(Shape padding, double value) {
    return padded(padding.getShape(), value);
  }

  private GatunNDArray padded(long[] pads, double value) {
    Strided x = self().data();
    if (pads.length % 2 != 0 || pads.length > 2 * x.rank()) {
      throw Refusal.wrong(
          "pad: %d numbers for %d axes, expected two for each, of the last axis first",
          pads.length, x.rank());
    }
    long[] shape = x.shape();
    for (int i = 0; i < pads.length; i++) {
      shape[x.rank() - 1 - i / 2] += pads[i];
    }
    Strided y = Strided.allocate(x.type(), shape);
    kernels().fill(y, value);
    Strided from = x;
    Strided to = y;
    for (int i = 0; i < pads.length; i += 2) {
      int axis = x.rank() - 1 - i / 2;
      // A negative number takes places away.
      long begin = Math.max(0, -pads[i]);
      long length = x.size(axis) - begin - Math.max(0, -pads[i + 1]);
      from = from.sliced(axis, begin, length, 1);
      to = to.sliced(axis, Math.max(0, pads[i]), length, 1);
    }
    kernels().copy(from, to);
    long[] back = Arrays.stream(pads).map(n -> -n).toArray();
    return Tape.record(
        self().make(y),
        "pad",
        Keeps.NOTHING,
        step -> step.give(0, ((ShapeMethods) step.gradient()).padded(back, 0)),
        self());
  }
}
