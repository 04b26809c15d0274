package dev.gatun.autograd;

import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.Arrays;

/** Memory whose gradient is computed, and the gradient as far as it is. */
final class Tracked {
  private final Device device;
  private final long elements;

  /** Whether somebody asked for the gradient, which is else given back once it was passed on. */
  boolean kept;

  /**
   * [elements of the memory], with an owner of its own: F32, or BF16 where that is the memory's and
   * one op alone gave it so; null while nothing was added.
   */
  Tensor gradient;

  Tracked(Tensor some) {
    Operand operand = some.operand();
    this.device = some.device();
    this.elements = operand.buffer().byteSize() / operand.dtype().bytes();
  }

  static boolean isFloat(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
  }

  /** The part of the gradient that belongs to a view of the memory. */
  static Tensor part(Tensor gradient, Operand view) {
    return gradient.strided(view.offset(), view.shape(), view.strides());
  }

  /** F32 of the shape of x, which has no gaps: the numbers of x. */
  private static Tensor wide(Tensor x) {
    Tensor wide = Tensor.empty(x.device(), DType.F32, x.shape());
    Operand from = x.reshape(1, x.count()).operand();
    x.device().kernels().run(new Cast(from, wide.reshape(1, x.count()).operand()));
    Reference.reachabilityFence(x);
    return wide;
  }

  /** Makes the gradient F32, if there is one. */
  void widen() {
    if (gradient != null && gradient.dtype() != DType.F32) {
      try (Tensor narrow = gradient;
          Tensor wide = wide(narrow)) {
        gradient = wide.share();
      }
    }
  }

  /** Makes the gradient zeros, of F32 or the memory's own dtype. */
  void clear(DType dtype) {
    try (Tensor zeros = Tensor.zeros(device, dtype, elements)) {
      gradient = zeros.share();
    }
  }

  /**
   * {@return whether parts of one memory are known to have no element in common: each has columns
   * of its own in rows of the same length}
   *
   * @param parts at least one
   */
  static boolean areApart(Operand... parts) {
    long[][] columns = new long[parts.length][];
    long row = 0;
    for (int i = 0; i < parts.length; i++) {
      Operand part = parts[i];
      int rows = rows(part);
      if (rows < 0
          || part.isEmpty()
          || part.stride(rows) < 1
          || i > 0 && part.stride(rows) != row) {
        return false;
      }
      row = part.stride(rows);
      long begin = part.offset() % row;
      long end = begin + 1;
      for (int axis = rows + 1; axis < part.rank(); axis++) {
        end += (part.size(axis) - 1) * part.stride(axis);
      }
      columns[i] = new long[] {begin, end};
    }
    Arrays.sort(columns, (a, b) -> Long.compare(a[0], b[0]));
    for (int i = 0; i < columns.length; i++) {
      if (columns[i][1] > (i + 1 < columns.length ? columns[i + 1][0] : row)) {
        return false;
      }
    }
    return true;
  }

  /** The axis of a view's rows, with which those before it are one; -1 of one without axes. */
  private static int rows(Operand part) {
    int axis = part.rank() == 0 ? -1 : 0;
    while (axis >= 0
        && axis + 1 < part.rank()
        && part.stride(axis) == part.size(axis + 1) * part.stride(axis + 1)) {
      axis++;
    }
    return axis;
  }

  /**
   * Adds to the gradient of a part.
   *
   * @param part of the memory
   * @param more F32 of its shape, or BF16 without gaps
   * @param adopt whether the memory of {@code more} may become the gradient's
   */
  void add(Operand part, Tensor more, boolean adopt) {
    boolean isNarrow = more.dtype() != DType.F32;
    // No two elements of a part are at one place: so many are all that there are.
    boolean whole = part.count() == elements;
    if (gradient == null
        && adopt
        && whole
        && isLaidOutAs(part, more.operand())
        && !(isNarrow && kept)) {
      try (Tensor shared = more.share()) {
        gradient = shared.strided(0, new long[] {elements}, new long[] {1}).share();
      }
      return;
    }
    if (isNarrow) {
      try (Tensor wide = wide(more)) {
        add(part, wide, true);
      }
      return;
    }
    if (gradient != null) {
      widen();
      Operand sum = part(gradient, part).operand();
      device.kernels().run(new Elementwise(sum, more.operand(), BinaryOp.ADD, sum));
      Reference.reachabilityFence(more);
      return;
    }
    try (Tensor made =
        whole
            ? Tensor.empty(device, DType.F32, elements)
            : Tensor.zeros(device, DType.F32, elements)) {
      device.kernels().run(new Copy(more.operand(), part(made, part).operand()));
      Reference.reachabilityFence(more);
      gradient = made.share();
    }
  }

  /** Whether what fills this memory as a part does could be the whole memory of the gradient. */
  private boolean isLaidOutAs(Operand part, Operand more) {
    return more.offset() == 0
        && more.buffer().byteSize() == elements * more.dtype().bytes()
        && (part.isContiguous() && more.isContiguous()
            || Arrays.equals(part.strides(), more.strides()));
  }

  /** Gives the gradient to who asks, who owns it from then on. */
  Tensor release() {
    Tensor released = gradient;
    gradient = null;
    return released;
  }

  void free() {
    if (gradient != null) {
      gradient.close();
      gradient = null;
    }
  }
}
