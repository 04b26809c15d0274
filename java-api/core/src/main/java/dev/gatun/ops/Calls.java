package dev.gatun.ops;

import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.Arrays;

/** What ops share: rows, shapes, and results whose memory goes back when a call fails. */
final class Calls {
  private Calls() {}

  /** A kernel's call whose output is a tensor. */
  interface Call {
    void run(Kernels kernels, Tensor y);
  }

  /** A kernel's call whose input and output are rows of the same shape. */
  interface RowsCall {
    void run(Kernels kernels, Operand rows, Operand y);
  }

  /** Fills y and gives it; gives its memory back when the call fails. */
  static Tensor run(Tensor y, Call call, Tensor... arguments) {
    boolean done = false;
    try {
      call.run(y.device().kernels(), y);
      done = true;
    } finally {
      if (!done) {
        y.close();
      }
      fence(arguments);
    }
    return y;
  }

  /** What a call makes of each row of x, in a tensor of x's shape and dtype. */
  static Tensor eachRow(String op, Tensor x, RowsCall call, Tensor... others) {
    Operand rows = rows(op, x).operand();
    return run(
        Tensor.empty(x.device(), x.dtype(), x.shape()),
        (k, y) -> {
          call.run(k, rows, rows(op, y).operand());
          fence(x);
        },
        others);
  }

  static void axes(String op, String name, Tensor x, int axes) {
    if (x.rank() != axes) {
      throw new IllegalArgumentException(
          "%s: %s is %s, expected %d axes".formatted(op, name, x, axes));
    }
  }

  /** x as [rows, columns], rows being all axes but the last. */
  static Tensor rows(String op, Tensor x) {
    if (x.rank() == 2) {
      return x;
    }
    if (x.rank() == 0) {
      throw new IllegalArgumentException("%s: %s has no last axis".formatted(op, x));
    }
    long rows = 1;
    for (int axis = 0; axis < x.rank() - 1; axis++) {
      rows *= x.size(axis);
    }
    return x.reshape(rows, x.size(-1));
  }

  static Operand rowsOrNull(String op, Tensor x) {
    return x == null ? null : rows(op, x).operand();
  }

  static long[] withLast(Tensor x, long last) {
    long[] shape = Arrays.copyOf(x.shape(), x.rank());
    shape[shape.length - 1] = last;
    return shape;
  }

  static Operand operand(Tensor tensor) {
    return tensor == null ? null : tensor.operand();
  }

  /** Keeps the owners of the arguments' memory reachable until the kernel has run. */
  static void fence(Tensor... tensors) {
    Reference.reachabilityFence(tensors);
  }
}
