package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.formats.HostBlocks;

/** Products of matrices. */
final class MatmulReference {
  private final Precision p;
  private final Functions functions;
  private final QuantizedReference quantized;

  MatmulReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
    this.quantized = new QuantizedReference(precision);
  }

  void run(MatmulCall call) {
    switch (call) {
      case Matmul c -> matmul(c);
      case BatchedMatmul c -> batchedMatmul(c);
      case QuantizedMatmul c -> quantized.run(c);
      case BlockMatmul c -> quantized.run(c);
      case MatmulPack c -> matmulPack(c);
      case Quantize c -> HostBlocks.quantize(c.format(), c.weight(), c.blocks());
      case Dequantize c -> HostBlocks.dequantize(c.format(), c.blocks(), c.weight());
      case QuantizedPack c ->
          HostBlocks.pack(c.format(), c.layout(), c.inFeatures(), c.blocks(), c.packed());
      case QuantizeTokens c -> quantized.run(c);
    }
  }

  private void matmulPack(MatmulPack c) {
    c.each().forEach(this::pack);
  }

  private void pack(MatmulPack c) {
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

  private void matmul(Matmul c) {
    View x = View.of(c.x());
    View packed = View.of(c.weight());
    View bias = View.of(c.bias());
    View y = View.of(c.y());
    DType dtype = c.weight().dtype();
    long in = c.x().size(1);
    double[] weight = new double[Math.toIntExact(in)];
    for (long n = 0; n < c.y().size(1); n++) {
      for (int k = 0; k < in; k++) {
        weight[k] =
            packed.get(
                c.isPacked() ? MatmulPack.place(dtype, n, k, in) : n * c.weight().stride(0) + k);
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

  private void batchedMatmul(BatchedMatmul c) {
    View out = View.of(c.c());
    for (long i = 0; i < c.c().size(0); i++) {
      double[][] a = matrix(c.a(), i);
      double[][] b = matrix(c.b(), i);
      for (int m = 0; m < a.length; m++) {
        for (int n = 0; n < b.length; n++) {
          long place = (i * a.length + m) * b.length + n;
          double sum = functions.dot(a[m], b[n]);
          out.set(place, c.accumulate() ? p.round(out.get(place) + sum) : sum);
        }
      }
    }
  }

  /** One entry of a batch of matrices, by rows. */
  private static double[][] matrix(Operand batch, long i) {
    View view = View.of(batch);
    double[][] rows = new double[Math.toIntExact(batch.size(1))][Math.toIntExact(batch.size(2))];
    for (int r = 0; r < rows.length; r++) {
      for (int k = 0; k < rows[r].length; k++) {
        rows[r][k] = view.get(i * batch.stride(0) + r * batch.stride(1) + k * batch.stride(2));
      }
    }
    return rows;
  }
}
