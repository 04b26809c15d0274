package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import java.util.Arrays;

/** Operations along an axis that look at the order of its elements, or at all of them. */
interface OrderMethods extends ArrayMethods {
  @Override
  default NDArray argSort(int axis, boolean ascending) {
    requireReal("argSort");
    Strided x = self().data();
    Strided places = Strided.allocate(DataType.INT64, x.shape());
    if (x.rank() == 0) {
      kernels().fill(places, 0);
    } else {
      kernels().sort(x, axis("argSort", axis), false, places, null);
    }
    GatunNDArray rising = self().make(places);
    if (ascending || x.rank() == 0) {
      return rising;
    }
    // DJL's order downwards is that upwards from its end: of equal elements the last comes first.
    try (rising) {
      return rising.flip(axis);
    }
  }

  @Override
  default NDArray sort() {
    return sort(-1);
  }

  @Override
  default NDArray sort(int axis) {
    requireReal("sort");
    Strided x = self().data();
    if (x.rank() == 0) {
      return duplicate();
    }
    if (Tape.follows(self())) {
      try (NDArray places = argSort(axis, true)) {
        return gather(places, axis);
      }
    }
    Strided values = Strided.allocate(x.type(), x.shape());
    kernels().sort(x, axis("sort", axis), false, null, values);
    return self().make(values);
  }

  @Override
  default NDList topK(int k, int axis, boolean largest, boolean sorted) {
    requireReal("topK");
    Strided x = self().data();
    int at = axis("topK", axis);
    if (x.rank() == 0) {
      if (k < 0 || k > 1) {
        throw Refusal.wrong("topK: k is %d, an array without axes has one element", k);
      }
      return new NDList(self().duplicate(), self().getManager().create(0L));
    }
    if (k < 0 || k > x.size(at)) {
      throw Refusal.wrong(
          "topK: k is %d, axis %d of %s has %d elements", k, axis, getShape(), x.size(at));
    }
    long[] shape = x.shape();
    shape[at] = k;
    Strided values = Strided.allocate(x.type(), shape);
    Strided places = Strided.allocate(DataType.INT64, shape);
    kernels().sort(x, at, largest, places, values);
    GatunNDArray chosen = self().make(places);
    Shape full = getShape();
    GatunNDArray top =
        Tape.record(
            self().make(values),
            "topK",
            Keeps.INPUTS,
            step -> {
              NDArray none = step.scratch().zeros(full, step.gradient().getDataType());
              step.give(0, none.scatter(step.input(1), step.gradient(), at));
            },
            self(),
            chosen);
    return new NDList(top, chosen);
  }

  private GatunNDArray extreme(String op, Integer axis, boolean largest) {
    requireReal(op);
    Strided x = self().data();
    if (x.count() == 0 && axis == null) {
      throw new IllegalArgumentException(op + ": the array has no elements");
    }
    if (x.count() == 0 && x.size(axis(op, axis)) == 0) {
      throw Refusal.wrong("%s: axis %d of %s has no elements", op, axis, getShape());
    }
    if (x.rank() == 0) {
      return (GatunNDArray) self().getManager().create(0L);
    }
    if (axis == null) {
      try (GatunNDArray flat = (GatunNDArray) flatten()) {
        Strided y = Strided.allocate(DataType.INT64, 1);
        kernels().extreme(flat.data(), 0, largest, y);
        return self().make(y.selected(0, 0));
      }
    }
    int at = axis(op, axis);
    long[] shape = x.shape();
    shape[at] = 1;
    Strided y = Strided.allocate(DataType.INT64, shape);
    kernels().extreme(x, at, largest, y);
    return self().make(y.selected(at, 0));
  }

  @Override
  default NDArray argMax() {
    return extreme("argMax", null, true);
  }

  @Override
  default NDArray argMax(int axis) {
    return extreme("argMax", axis, true);
  }

  @Override
  default NDArray argMin() {
    return extreme("argMin", null, false);
  }

  @Override
  default NDArray argMin(int axis) {
    return extreme("argMin", axis, false);
  }

  private GatunNDArray softmax(String op, int axis, boolean log) {
    requireReal(op);
    Strided x = self().data();
    int at = axis(op, axis);
    if (x.rank() == 0) {
      try (GatunNDArray row = (GatunNDArray) expandDims(0);
          GatunNDArray result = ((OrderMethods) row).softmax(op, at, log)) {
        return (GatunNDArray) result.squeeze(0);
      }
    }
    Strided y = Strided.allocate(Types.floating(x.type()), x.shape());
    kernels().softmax(x, at, log, y);
    int[] along = {axis};
    return Tape.record(
        self().make(y),
        op,
        Keeps.RESULT,
        step -> {
          NDArray g = step.gradient();
          NDArray result = step.result();
          if (log) {
            step.give(0, g.sub(result.exp().mul(g.sum(along, true))));
          } else {
            step.give(0, result.mul(g.sub(g.mul(result).sum(along, true))));
          }
        },
        self());
  }

  @Override
  default NDArray softmax(int axis) {
    return softmax("softmax", axis, false);
  }

  @Override
  default NDArray logSoftmax(int axis) {
    return softmax("logSoftmax", axis, true);
  }

  @Override
  default NDArray median() {
    return median(new int[] {-1});
  }

  @Override
  default NDArray median(int[] axes) {
    // PyTorch's: the lower of two.
    return ranked("median", axes, length -> (length - 1) / 2);
  }

  @Override
  default NDArray percentile(Number percentile) {
    return percentile(percentile, new int[] {-1});
  }

  @Override
  default NDArray percentile(Number percentile, int[] axes) {
    // PyTorch's engine has the part in FLOAT32.
    float part = percentile.floatValue() / 100;
    if (!(part >= 0 && part <= 1)) {
      throw Refusal.wrong("percentile: %s, expected a number from 0 to 100", percentile);
    }
    return ranked("percentile", axes, length -> (double) part * (length - 1));
  }

  /** A place of a sorted axis by its length; one between two is their weighted mean. */
  interface Place {
    double of(long length);
  }

  private GatunNDArray ranked(String op, int[] axes, Place place) {
    if (axes.length != 1) {
      throw new UnsupportedOperationException(
          "%s: %d axes, the engine Gatun has it along one".formatted(op, axes.length));
    }
    if (isScalar()) {
      return self().duplicate();
    }
    int at = axis(op, axes[0]);
    try (GatunNDArray sorted = (GatunNDArray) sort(at)) {
      Strided x = sorted.data();
      if (x.size(at) == 0) {
        throw Refusal.wrong("%s: axis %d of %s has no elements", op, axes[0], getShape());
      }
      GatunNDArray found = between(sorted, at, place.of(x.size(at)));
      if (!x.type().isFloating()) {
        return found;
      }
      // NaN, which is sorted last, is what becomes of an axis that has one.
      try (GatunNDArray last = sorted.view(x.selected(at, x.size(at) - 1));
          GatunNDArray lacks = (GatunNDArray) last.isNaN()) {
        if (kernels().countTrue(lacks.data()) == 0) {
          return found;
        }
        try (found) {
          return last.where(lacks, found);
        }
      }
    }
  }

  /** What stands at a place of a sorted axis, or the weighted mean of the two around it. */
  private GatunNDArray between(GatunNDArray sorted, int at, double exact) {
    Strided x = sorted.data();
    long below = (long) Math.floor(exact);
    boolean wide = x.type() == DataType.FLOAT64;
    Number weight = wide ? (Number) (exact - below) : (Number) (float) (exact - below);
    try (GatunNDArray low = sorted.view(x.selected(at, below))) {
      if (exact == below) {
        GatunNDArray whole = low.toType(getDataType(), true);
        whole.attach(self().getManager());
        return whole;
      }
      try (GatunNDArray high = sorted.view(x.selected(at, below + 1));
          NDArray step = high.sub(low);
          NDArray part = step.mul(weight)) {
        return (GatunNDArray) low.add(part);
      }
    }
  }

  @Override
  default NDArray diff(int n, int dim) {
    if (n < 0) {
      throw Refusal.wrong("diff: n is %d, expected 0 or more", n);
    }
    if (isScalar()) {
      throw Refusal.wrong("diff: an array without axes, expected one or more");
    }
    int at = axis("diff", dim);
    GatunNDArray result = self().duplicate();
    for (int i = 0; i < n; i++) {
      Strided x = result.data();
      long left = Math.max(0, x.size(at) - 1);
      try (GatunNDArray before = result;
          GatunNDArray ahead = before.view(x.sliced(at, Math.min(1, x.size(at)), left, 1));
          GatunNDArray behind = before.view(x.sliced(at, 0, left, 1))) {
        result =
            (GatunNDArray)
                (before.getDataType() == DataType.BOOLEAN
                    ? ahead.logicalXor(behind)
                    : ahead.sub(behind));
      }
    }
    return result;
  }

  @Override
  default NDList unique(Integer dim, boolean sorted, boolean returnInverse, boolean returnCounts) {
    Tape.refuse("unique", self());
    requireReal("unique");
    Strided x = self().data();
    int at = dim == null ? 0 : axis("unique", dim);
    if (dim != null && x.rank() == 0) {
      throw Refusal.wrong("unique: an array without axes has no axis %d", dim);
    }
    // Rows that are compared: elements, or all that is at a place of the axis.
    GatunNDArray rows;
    long[] rest;
    if (dim == null) {
      rows = (GatunNDArray) reshape(-1, 1);
      rest = new long[0];
    } else {
      int[] order = new int[x.rank()];
      order[0] = at;
      for (int axis = 0, next = 1; axis < x.rank(); axis++) {
        if (axis != at) {
          order[next++] = axis;
        }
      }
      Strided first = x.permuted(order);
      rest = Arrays.copyOfRange(first.shape(), 1, x.rank());
      try (GatunNDArray turned = self().view(first)) {
        rows = (GatunNDArray) turned.reshape(x.size(at), Strided.count(rest));
      }
    }
    try (rows) {
      return uniqueRows(rows, dim, at, rest, returnInverse, returnCounts);
    }
  }

  private NDList uniqueRows(
      GatunNDArray rows,
      Integer dim,
      int at,
      long[] rest,
      boolean returnInverse,
      boolean returnCounts) {
    int count = Math.toIntExact(rows.size(0));
    int width = Math.toIntExact(rows.size(1));
    boolean whole = Types.isWhole(getDataType());
    long[] longs = whole ? kernels().numbers(rows.data()) : null;
    double[] doubles = whole ? null : rows.numbers();
    Integer[] order = new Integer[count];
    Arrays.setAll(order, i -> i);
    java.util.Comparator<Integer> compare =
        (a, b) -> {
          for (int i = 0; i < width; i++) {
            int sign =
                whole
                    ? Long.compare(longs[a * width + i], longs[b * width + i])
                    : Double.compare(doubles[a * width + i] + 0.0, doubles[b * width + i] + 0.0);
            if (sign != 0) {
              return sign;
            }
          }
          return 0;
        };
    Arrays.sort(order, compare);
    long[] inverse = new long[count];
    long[] counts = new long[count];
    long[] firsts = new long[count];
    int distinct = 0;
    for (int i = 0; i < count; i++) {
      boolean apart = dim == null && !whole && Double.isNaN(doubles[order[i]]);
      if (i == 0 || apart || compare.compare(order[i - 1], order[i]) != 0) {
        firsts[distinct++] = order[i];
      }
      inverse[order[i]] = distinct - 1;
      counts[distinct - 1]++;
    }
    GatunNDManager manager = self().getManager();
    Strided values = Strided.allocate(getDataType(), distinct, width);
    kernels()
        .indexed(
            rows.data(),
            new int[] {0},
            new long[][] {Arrays.copyOf(firsts, distinct)},
            values,
            false);
    NDList results = new NDList();
    if (dim == null) {
      results.add(self().make(values.reshaped(distinct)));
    } else {
      long[] full = new long[rest.length + 1];
      full[0] = distinct;
      System.arraycopy(rest, 0, full, 1, rest.length);
      int[] back = new int[full.length];
      for (int axis = 0, next = 1; axis < full.length; axis++) {
        back[axis] = axis == at ? 0 : next++;
      }
      results.add(self().make(values.reshaped(full).permuted(back)));
    }
    // Of an axis PyTorch tells both whether they are asked for or not.
    if (returnInverse || dim != null) {
      NDArray places = manager.create(inverse);
      if (dim == null) {
        try (places) {
          results.add(places.reshape(getShape()));
        }
      } else {
        results.add(places);
      }
    }
    if (results.size() == 1) {
      results.add(manager.create(new long[0]));
    }
    boolean counted = returnCounts || dim != null;
    results.add(manager.create(counted ? Arrays.copyOf(counts, distinct) : new long[0]));
    return results;
  }
}
