package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** Operations that move the elements of tensors of any dtype and at most 6 axes. */
public final class Layouts {
  private Layouts() {}

  /**
   * A copy whose elements lie row-major without gaps, also of what lies so already.
   *
   * @param x of any dtype and at most 6 axes, any strides
   * @return of x's shape and dtype
   */
  public static Tensor contiguous(Tensor x) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("contiguous", x);
    Tensor copy =
        Calls.run(
            Tensor.empty(x.device(), x.dtype(), x.shape()),
            (k, y) -> k.run(new Copy(x.operand(), y.operand())),
            x);
    if (node != null) {
      LayoutGradients.same(node, copy);
    }
    return copy;
  }

  /**
   * Writes the elements of a tensor over those of another one.
   *
   * @param from of any dtype and at most 6 axes, any strides
   * @param to of its shape and dtype, written in place
   * @throws UnsupportedOperationException when a tape tracks one of them
   */
  public static void copy(Tensor from, Tensor to) {
    Tape.refuseInPlace("copy", to, from);
    to.device().kernels().run(new Copy(from.operand(), to.operand()));
    Calls.fence(from, to);
  }

  /**
   * Tensors one after another on an axis.
   *
   * @param axis negative ones count from the last
   * @param parts at least one, of the same dtype and the same lengths on the other axes
   * @return of their dtype, as long on the axis as all of them together
   */
  public static Tensor concat(int axis, List<Tensor> parts) {
    Tensor first = parts.getFirst();
    int a = axis("concat", first, axis);
    long[] shape = first.shape();
    shape[a] = parts.stream().mapToLong(part -> part.size(a)).sum();
    Tensor[] all = parts.toArray(Tensor[]::new);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("concat", all);
    Tensor joined =
        Calls.run(
            Tensor.empty(first.device(), first.dtype(), shape),
            (k, y) -> {
              long begin = 0;
              for (Tensor part : parts) {
                Tensor place = y.slice(a, begin, begin += part.size(a));
                k.run(new Copy(part.operand(), place.operand()));
              }
            },
            all);
    if (node != null) {
      LayoutGradients.concat(node, a, parts, joined);
    }
    return joined;
  }

  /**
   * Axis i of the result is axis {@code axes[i]} of x; row-major without gaps.
   *
   * @param x of any dtype and at most 6 axes, any strides
   * @param axes each axis of x once; negative ones count from the last
   * @return a copy of x's dtype
   * @throws IllegalArgumentException when the axes do not name each axis of x once
   */
  public static Tensor permute(Tensor x, int... axes) {
    return contiguous(permuted(x, axes));
  }

  /**
   * Two axes in each other's place.
   *
   * @param x of any dtype and at most 6 axes, any strides
   * @param first an axis of x; negative ones count from the last
   * @param second another one, or the same, likewise
   * @return a copy of x's dtype, row-major without gaps
   */
  public static Tensor transpose(Tensor x, int first, int second) {
    int[] axes = new int[x.rank()];
    Arrays.setAll(axes, i -> i);
    int a = axis("transpose", x, first);
    int b = axis("transpose", x, second);
    axes[a] = b;
    axes[b] = a;
    return permute(x, axes);
  }

  /** A view of x with its axes in this order. */
  static Tensor permuted(Tensor x, int... axes) {
    long[] shape = new long[axes.length];
    long[] strides = new long[axes.length];
    boolean[] seen = new boolean[x.rank()];
    boolean each = axes.length == x.rank();
    for (int i = 0; i < axes.length && each; i++) {
      int axis = axis("permute", x, axes[i]);
      each = !seen[axis];
      seen[axis] = true;
      shape[i] = x.size(axis);
      strides[i] = x.operand().stride(axis);
    }
    if (!each) {
      throw new IllegalArgumentException(
          "permute: axes %s, expected each axis of %s once".formatted(Arrays.toString(axes), x));
    }
    return x.strided(0, shape, strides);
  }

  /** The axis, counted from the first. */
  static int axis(String op, Tensor x, int axis) {
    if (axis < -x.rank() || axis >= x.rank()) {
      throw new IllegalArgumentException("%s: %s has no axis %d".formatted(op, x, axis));
    }
    return axis < 0 ? axis + x.rank() : axis;
  }
}
