package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** The gradients of {@link Matmul}: products of what came back with the other factor. */
final class MatmulGradients {
  /** Elements of a product that are added to a sum at a time. */
  private static final long SUMMED = 1 << 20;

  private MatmulGradients() {}

  /**
   * Records {@code y = x weightᵀ + bias}: {@code dx = dy weight}, {@code dweight = dyᵀ x}, and the
   * bias's is the sum of dy's rows.
   *
   * @param narrow whether these products, as y, are of numbers rounded to BF16: dx is BF16 then
   *     where x is
   */
  static void linear(Node node, Tensor x, Tensor weight, Tensor bias, Tensor y, boolean narrow) {
    Tensor in = node.needs(1) ? node.save(x) : null;
    Tensor w = node.needs(0) ? node.save(weight) : null;
    long[] shape = x.shape();
    boolean isTurned = !weight.operand().isContiguous();
    node.record(
        () -> {
          Tensor dy = Calls.rows("linear", narrow ? node.narrowGradient(0) : node.gradient());
          if (narrow) {
            giveNarrow(node, dy, in, w, isTurned, shape);
          }
          if (node.needs(0) && !narrow) {
            node.give(0, product(dy, turned(Plain.wide(w))).reshape(shape));
          }
          if (node.needs(1) && !narrow) {
            Tensor rows = Plain.wide(Calls.rows("linear", in));
            if (!addTo(node.sum(1), turned(dy), turned(rows))) {
              node.give(
                  1,
                  isTurned
                      ? turned(product(turned(rows), turned(dy)))
                      : product(turned(dy), turned(rows)));
            }
          }
          if (node.needs(2)) {
            node.give(2, sumOfRows(dy));
          }
        },
        y);
  }

  /** The gradients of x and the weight by products of BF16, whose sums are F32. */
  private static void giveNarrow(
      Node node, Tensor dy, Tensor x, Tensor weight, boolean isTurned, long[] shape) {
    Tensor g = Elementwise.cast(Plain.dense(dy), DType.BF16);
    if (node.needs(0)) {
      node.give(0, narrowProduct(g, turned(weight), node.gradientType(0)).reshape(shape));
    }
    if (node.needs(1)) {
      Tensor rows = Calls.rows("linear", x);
      node.give(
          1,
          isTurned
              ? turned(
                  narrowProduct(turned(Elementwise.cast(rows, DType.BF16)), turned(g), DType.F32))
              : narrowProduct(turned(g), turned(rows), DType.F32));
    }
  }

  /**
   * {@code a bᵀ} rounded to BF16 before.
   *
   * @param a BF16, of any strides
   * @param b F32, BF16 or F16, of any strides
   * @param dtype of the result
   */
  private static Tensor narrowProduct(Tensor a, Tensor b, DType dtype) {
    try (Tensor packed = Packing.pack(b, Storage.of(DType.BF16))) {
      return Matmul.product(Plain.dense(a), packed, null, b.size(0), Activation.NONE, dtype);
    }
  }

  /**
   * {@code c += a bᵀ}, both rounded to BF16 before, some rows at a time, which are added while they
   * are in caches.
   *
   * @param a BF16 [rows, k], of any strides
   * @param b F32, BF16 or F16 [columns, k], of any strides
   * @param c F32 [rows, columns] without gaps
   */
  static void addNarrowProduct(Tensor a, Tensor b, Tensor c) {
    long rows = Math.max(1, SUMMED / Math.max(1, b.size(0)));
    try (Tensor packed = Packing.pack(b, Storage.of(DType.BF16));
        Scope _ = Scope.open()) {
      Tensor left = Plain.dense(a);
      for (long begin = 0; begin < a.size(0); begin += rows) {
        long end = Math.min(begin + rows, a.size(0));
        Operand sum = c.slice(0, begin, end).operand();
        try (Tensor more =
            Matmul.product(
                left.slice(0, begin, end), packed, null, b.size(0), Activation.NONE, DType.F32)) {
          c.device()
              .kernels()
              .run(
                  new dev.gatun.kernels.api.call.elementwise.Elementwise(
                      sum, more.operand(), BinaryOp.ADD, sum));
        }
      }
      Calls.fence(a, b, c);
    }
  }

  /** The sum of the rows of x [rows, columns], F32 [columns]. */
  private static Tensor sumOfRows(Tensor x) {
    return Calls.run(
        Tensor.empty(x.device(), DType.F32, x.size(1)),
        (k, y) ->
            k.run(new Reduce(batch(x).operand(), Reduction.SUM, y.reshape(1, x.size(1)).operand())),
        x);
  }

  /** {@code a bᵀ} of matrices of any strides. */
  static Tensor product(Tensor a, Tensor b) {
    return Matmul.batchedMatmul(batch(a), batch(b)).reshape(a.size(0), b.size(0));
  }

  /** {@code c += a bᵀ} of matrices of any strides, c F32 without gaps. */
  static void addProduct(Tensor a, Tensor b, Tensor c) {
    c.device()
        .kernels()
        .run(new BatchedMatmul(batch(a).operand(), batch(b).operand(), batch(c).operand(), true));
    Calls.fence(a, b, c);
  }

  /**
   * Adds {@code a bᵀ} to a sum.
   *
   * @param sum F32, or null
   * @return whether it did: not to none, and not to one with gaps
   */
  private static boolean addTo(Tensor sum, Tensor a, Tensor b) {
    if (sum == null) {
      return false;
    }
    if (sum.operand().isContiguous()) {
      addProduct(a, b, sum);
      return true;
    }
    if (turned(sum).operand().isContiguous()) {
      addProduct(b, a, turned(sum));
      return true;
    }
    return false;
  }

  private static Tensor batch(Tensor x) {
    return x.strided(
        0,
        new long[] {1, x.size(0), x.size(1)},
        new long[] {0, x.operand().stride(0), x.operand().stride(1)});
  }

  /** The transpose of a matrix, a view; of a batch of them those. */
  static Tensor turned(Tensor x) {
    return x.rank() == 2 ? Layouts.permuted(x, 1, 0) : Layouts.permuted(x, 0, 2, 1);
  }

  /** Records {@code c = a bᵀ} of batches: {@code da = dc b}, {@code db = dcᵀ a}. */
  static void batched(Node node, Tensor a, Tensor b, Tensor c) {
    Tensor keptA = node.needs(1) ? node.save(a) : null;
    Tensor keptB = node.needs(0) ? node.save(b) : null;
    node.record(
        () -> {
          Tensor dc = node.gradient();
          if (node.needs(0)) {
            node.give(0, Matmul.batchedMatmul(dc, turned(wide(keptB))));
          }
          if (node.needs(1)) {
            node.give(1, Matmul.batchedMatmul(turned(dc), turned(wide(keptA))));
          }
        },
        c);
  }

  /** x in F32, as it lies where it is. */
  private static Tensor wide(Tensor x) {
    return x.dtype() == DType.F32 ? x : Plain.wide(x);
  }
}
