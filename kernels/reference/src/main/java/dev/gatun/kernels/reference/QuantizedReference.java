package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.QuantizedActivations;
import dev.gatun.kernels.api.QuantizedMatmul;
import dev.gatun.kernels.api.QuantizedPack;
import dev.gatun.kernels.api.quantized.Packer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Products with quantised weights. */
final class QuantizedReference {
  private final Precision p;
  private final Functions functions;

  QuantizedReference(Precision precision) {
    this.p = precision;
    this.functions = new Functions(precision);
  }

  void run(QuantizedPack c) {
    Packer.pack(
        c.format(),
        View.segment(c.blocks().buffer()).asSlice(c.blocks().byteOffset()),
        c.blocks().stride(0),
        c.blocks().size(0),
        c.inFeatures(),
        View.segment(c.packed().buffer()).asSlice(c.packed().byteOffset()));
  }

  void run(QuantizedMatmul c) {
    View x = View.of(c.x());
    View bias = View.of(c.bias());
    View y = View.of(c.y());
    MemorySegment packed = View.segment(c.packed().buffer()).asSlice(c.packed().byteOffset());
    int in = Math.toIntExact(c.x().size(1));
    double[] weight = new double[in];
    for (long n = 0; n < c.y().size(1); n++) {
      Packer.unpack(c.layout(), packed, in, n, weight);
      for (long m = 0; m < c.x().size(0); m++) {
        double[] row = x.row(m * c.x().stride(0), in);
        double value =
            p.store(
                c.activations() == QuantizedActivations.EXACT
                    ? functions.dot(row, weight)
                    : codesDot(c, row, weight));
        if (bias != null) {
          value = p.store(value + bias.get(n));
        }
        y.set(m * c.y().stride(0) + n, functions.activate(value, c.activation()));
      }
    }
  }

  private double codesDot(QuantizedMatmul c, double[] row, double[] weight) {
    int group = Math.toIntExact(c.layout().groupSize(row.length));
    boolean blocks = c.activations() == QuantizedActivations.INT8_BLOCKS;
    int block = blocks ? QuantizedMatmul.BLOCK : row.length;
    double total = 0;
    for (int begin = 0; begin < row.length; begin += block) {
      int end = Math.min(row.length, begin + block);
      double[] codes = Arrays.copyOfRange(row, begin, end);
      float scale = quantize(codes);
      int run = Math.min(group, codes.length);
      for (int i = 0; i < codes.length; i += run) {
        int stop = Math.min(codes.length, i + run);
        double products =
            functions.dot(
                Arrays.copyOfRange(codes, i, stop),
                Arrays.copyOfRange(weight, begin + i, begin + stop));
        total = p.round(total + p.round(scale * products));
      }
    }
    return total;
  }

  /** Makes numbers codes in place and gives their scale, in F32 whatever the precision is. */
  private static float quantize(double[] x) {
    float most = 0;
    for (double v : x) {
      most = Math.max(most, Math.abs((float) v));
    }
    boolean finite = most <= Float.MAX_VALUE;
    boolean zero = most < 0x1p-120f;
    float inverse = zero ? 0 : 127 / most;
    for (int i = 0; i < x.length; i++) {
      double code = Math.rint((float) x[i] * inverse);
      x[i] = finite ? Math.clamp(code, -127, 127) : 0;
    }
    return !finite ? Float.NaN : zero ? 0 : most / 127;
  }
}
