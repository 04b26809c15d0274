package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.ops.Matmul;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/** Products of matrices, and what is made with them. F32s run on the library's kernel. */
interface ProductMethods extends ArrayMethods {
  /** NumPy's: of arrays of more axes, the sums over the last axis and the other's last but one. */
  @Override
  default NDArray dot(NDArray other) {
    if (isScalar() || other.isScalar()) {
      return mul(other);
    }
    int rank = getShape().dimension();
    int otherRank = other.getShape().dimension();
    if (rank <= 2 && otherRank <= 2 || otherRank == 1 || rank == 1) {
      return product("dot", other);
    }
    Shape left = getShape().slice(0, rank - 1);
    Shape right = other.getShape().slice(0, otherRank - 2).add(other.getShape().get(otherRank - 1));
    int[] order = new int[otherRank];
    order[0] = otherRank - 2;
    for (int i = 1; i < otherRank; i++) {
      order[i] = i - 1 < otherRank - 2 ? i - 1 : otherRank - 1;
    }
    try (NDArray rows = reshape(left.size(), getShape().get(rank - 1));
        NDArray turned = other.transpose(order);
        NDArray columns = turned.reshape(turned.getShape().get(0), right.size());
        NDArray product = ((ProductMethods) rows).product("dot", columns)) {
      return product.reshape(left.addAll(right));
    }
  }

  @Override
  default NDArray matMul(NDArray other) {
    if (isScalar() || other.isScalar()) {
      throw new IllegalArgumentException("matMul: an array without axes, expected one or more");
    }
    return product("matMul", other);
  }

  @Override
  default NDArray batchMatMul(NDArray other) {
    if (isScalar() || other.isScalar()) {
      throw new IllegalArgumentException(
          "batchMatMul: an array without axes, expected one or more");
    }
    if (getShape().dimension() != 3 || other.getShape().dimension() != 3) {
      throw Refusal.wrong(
          "batchMatMul: arrays of shapes %s and %s, expected three axes each",
          getShape(), other.getShape());
    }
    return product("batchMatMul", other);
  }

  @Override
  default NDArray batchDot(NDArray other) {
    return batchMatMul(other);
  }

  /** NumPy's matmul: the last two axes are matrices, those before them are broadcast. */
  default GatunNDArray product(String op, NDArray other) {
    Strided a = self().data();
    Strided b = own(other).data();
    if (a.type() != b.type()) {
      throw Refusal.wrong("%s: arrays of %s and %s, expected one type", op, a.type(), b.type());
    }
    boolean row = a.rank() == 1;
    boolean column = b.rank() == 1;
    Strided left = row ? a.inserted(0) : a;
    Strided right = column ? b.inserted(1) : b;
    long[] shapeA = left.shape();
    long[] shapeB = right.shape();
    long m = shapeA[shapeA.length - 2];
    long k = shapeA[shapeA.length - 1];
    long n = shapeB[shapeB.length - 1];
    if (k != shapeB[shapeB.length - 2]) {
      throw Refusal.wrong(
          "%s: shapes %s and %s: %d columns meet %d rows",
          op, getShape(), other.getShape(), k, shapeB[shapeB.length - 2]);
    }
    long[] batch =
        Strided.broadcast(
            op, Arrays.copyOf(shapeA, shapeA.length - 2), Arrays.copyOf(shapeB, shapeB.length - 2));
    Strided y = multiplied(three(op, left, batch), three(op, right, batch));
    long[] shape = Arrays.copyOf(batch, batch.length + 2);
    shape[batch.length] = m;
    shape[batch.length + 1] = n;
    Strided full = y.reshaped(shape);
    full = column ? full.selected(batch.length + 1, 0) : full;
    return Tape.record(
        self().make(row ? full.selected(batch.length, 0) : full),
        op,
        Keeps.INPUTS,
        step -> {
          // As matrices, whose batch axes are summed where they were repeated.
          NDArray g = step.gradient();
          g = column ? g.expandDims(-1) : g;
          g = row ? g.expandDims(-2) : g;
          int rank = batch.length + 2;
          if (step.needs(0)) {
            NDArray x = step.input(1);
            x = column ? x.expandDims(-1) : x;
            NDArray given = g.matMul(turned(x));
            step.give(0, row ? given.squeeze(rank - 2) : given);
          }
          if (step.needs(1)) {
            NDArray x = step.input(0);
            x = row ? x.expandDims(0) : x;
            NDArray given = turned(x).matMul(g);
            step.give(1, column ? given.squeeze(rank - 1) : given);
          }
        },
        self(),
        own(other));
  }

  /** Matrices with rows for columns. */
  private static NDArray turned(NDArray x) {
    int rank = x.getShape().dimension();
    return x.swapAxes(rank - 2, rank - 1);
  }

  /** With all batch axes as one; a copy where strides cannot say it, and its store's owner. */
  private Strided three(String op, Strided x, long[] batch) {
    long[] full = Arrays.copyOf(batch, batch.length + 2);
    full[batch.length] = x.size(x.rank() - 2);
    full[batch.length + 1] = x.size(x.rank() - 1);
    Strided expanded = x.expanded(op, full);
    long[] three = {Strided.count(batch), full[batch.length], full[batch.length + 1]};
    Strided view = expanded.reshaped(three);
    if (view != null) {
      view.store().retain();
      return view;
    }
    Strided whole = Strided.allocate(x.type(), full);
    kernels().copy(expanded, whole);
    return whole.reshaped(three);
  }

  /** The product of [batch, m, k] and [batch, k, n]; releases both. */
  private Strided multiplied(Strided a, Strided b) {
    try {
      if (a.type() == DataType.COMPLEX64) {
        throw Refusal.unsupported("matMul of complex numbers");
      }
      if (a.type() == DataType.FLOAT32 && a.count() > 0 && b.count() > 0) {
        Tensor product = Matmul.batchedMatmul(a.tensor(), b.permuted(0, 2, 1).tensor());
        return Strided.of(product, DataType.FLOAT32);
      }
      Strided y = Strided.allocate(a.type(), a.size(0), a.size(1), b.size(2));
      kernels().matmul(a, b, y);
      return y;
    } finally {
      a.store().release();
      b.store().release();
    }
  }

  @Override
  default NDArray inverse() {
    Strided x = self().data();
    int rank = x.rank();
    if (rank < 2 || x.size(rank - 1) != x.size(rank - 2) || !x.type().isFloating()) {
      throw Refusal.wrong(
          "inverse: %s %s, expected floating-point square matrices", x.type(), getShape());
    }
    int n = Math.toIntExact(x.size(rank - 1));
    double[] numbers = self().numbers();
    double[] inverses = new double[numbers.length];
    for (int at = 0; at < numbers.length; at += n * n) {
      invert(numbers, inverses, at, n);
    }
    int[] next = new int[1];
    return Tape.record(
        self().getManager().drawn(getShape(), x.type(), () -> inverses[next[0]++]),
        "inverse",
        Keeps.RESULT,
        step -> {
          NDArray turned = turned(step.result());
          step.give(0, turned.matMul(step.gradient()).matMul(turned).neg());
        },
        self());
  }

  /** Gauss and Jordan's elimination with the largest pivot of a column. */
  private static void invert(double[] a, double[] inverse, int at, int n) {
    for (int i = 0; i < n; i++) {
      inverse[at + i * n + i] = 1;
    }
    for (int column = 0; column < n; column++) {
      int pivot = column;
      for (int row = column + 1; row < n; row++) {
        if (Math.abs(a[at + row * n + column]) > Math.abs(a[at + pivot * n + column])) {
          pivot = row;
        }
      }
      double value = a[at + pivot * n + column];
      if (value == 0 || Double.isNaN(value)) {
        throw Refusal.wrong("inverse: the matrix is singular, column %d has no pivot", column);
      }
      for (int i = 0; i < n; i++) {
        double kept = a[at + pivot * n + i];
        a[at + pivot * n + i] = a[at + column * n + i];
        a[at + column * n + i] = kept / value;
        kept = inverse[at + pivot * n + i];
        inverse[at + pivot * n + i] = inverse[at + column * n + i];
        inverse[at + column * n + i] = kept / value;
      }
      for (int row = 0; row < n; row++) {
        double factor = row == column ? 0 : a[at + row * n + column];
        for (int i = 0; factor != 0 && i < n; i++) {
          a[at + row * n + i] -= factor * a[at + column * n + i];
          inverse[at + row * n + i] -= factor * inverse[at + column * n + i];
        }
      }
    }
  }
}
