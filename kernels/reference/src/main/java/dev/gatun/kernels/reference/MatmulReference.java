package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Operand;

/** Products of matrices. */
final class MatmulReference {
  private final Precision p;
  private final Functions functions;

  MatmulReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(MatmulPack c) {
    Operand w = c.weight();
    View weight = View.of(w);
    View packed = View.of(c.packed());
    DType dtype = c.packed().dtype();
    long in = w.size(1);
    for (long i = 0; i < c.packed().count(); i++) {
      packed.set(i, 0);
    }
    for (long n = 0; n < w.size(0); n++) {
      for (long k = 0; k < in; k++) {
        packed.set(
            MatmulPack.place(dtype, n, k, in), weight.get(n * w.stride(0) + k * w.stride(1)));
      }
    }
  }

  void run(Matmul c) {
    View x = View.of(c.x());
    View packed = View.of(c.packed());
    View bias = View.of(c.bias());
    View y = View.of(c.y());
    DType dtype = c.packed().dtype();
    long in = c.x().size(1);
    double[] weight = new double[Math.toIntExact(in)];
    for (long n = 0; n < c.y().size(1); n++) {
      for (int k = 0; k < in; k++) {
        weight[k] = packed.get(MatmulPack.place(dtype, n, k, in));
      }
      for (long m = 0; m < c.x().size(0); m++) {
        double[] row = x.row(m * c.x().stride(0), in);
        for (int k = 0; dtype == DType.BF16 && k < in; k++) {
          row[k] = Precision.BF16.store(row[k]);
        }
        double value = p.store(functions.dot(row, weight));
        if (bias != null) {
          value = p.store(value + bias.get(n));
        }
        y.set(m * c.y().stride(0) + n, functions.activate(value, c.activation()));
      }
    }
  }

  void run(BatchedMatmul c) {
    View a = View.of(c.a());
    View b = View.of(c.b());
    View out = View.of(c.c());
    long k = c.a().size(2);
    for (long i = 0; i < c.c().size(0); i++) {
      for (long m = 0; m < c.c().size(1); m++) {
        double[] left = a.row(i * c.a().stride(0) + m * c.a().stride(1), k);
        for (long n = 0; n < c.c().size(2); n++) {
          double[] right = b.row(i * c.b().stride(0) + n * c.b().stride(1), k);
          out.set(
              i * c.c().stride(0) + m * c.c().stride(1) + n * c.c().stride(2),
              functions.dot(left, right));
        }
      }
    }
  }
}
