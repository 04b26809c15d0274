package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.HostBlocks;
import dev.gatun.kernels.formats.Packer;
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

  void run(QuantizeTokens c) {
    View x = View.of(c.x());
    int columns = Math.toIntExact(c.x().size(1));
    for (long row = 0; row < c.x().size(0); row++) {
      Codes.write(x.row(row * c.x().stride(0), columns), c.codes(), row);
    }
  }

  void run(QuantizedMatmul c) {
    View x = View.of(c.x());
    View bias = View.of(c.bias());
    View residual = View.of(c.residual());
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
                    : codesDot(c, m, row, weight));
        if (bias != null) {
          value = p.store(value + bias.get(n));
        }
        value = functions.activate(value, c.activation());
        if (residual != null) {
          value = p.store(value) + residual.get(m * c.residual().stride(0) + n);
        }
        y.set(m * c.y().stride(0) + n, value);
      }
    }
  }

  void run(BlockMatmul c) {
    long in = c.x().size(1);
    HostBlocks.requireFinite(c.kernel(), c.format(), in, c.blocks());
    PackedLayout layout = c.format().layout();
    long bytes = c.packedBytes(layout);
    try (Buffer memory = c.x().buffer().memory().allocate(bytes)) {
      Operand packed = Operand.of(memory, DType.U8, bytes);
      HostBlocks.pack(c.format(), layout, in, c.blocks(), packed);
      run(c.product(layout, packed));
    }
  }

  private double codesDot(QuantizedMatmul c, long m, double[] row, double[] weight) {
    int group = Math.toIntExact(c.layout().groupSize(row.length));
    boolean blocks = c.activations() == QuantizedActivations.INT8_BLOCKS;
    int block = blocks ? QuantizedMatmul.BLOCK : row.length;
    double total = 0;
    int blockCount = row.length == 0 ? 0 : Math.ceilDiv(row.length, block);
    for (int b = 0; b < blockCount; b++) {
      int begin = p.term(b, blockCount) * block;
      int end = Math.min(row.length, begin + block);
      double[] codes = Arrays.copyOfRange(row, begin, end);
      boolean offset = !blocks && c.layout().scales() == PackedLayout.Scales.F32_SUM;
      Codes x = c.codes() == null ? Codes.of(codes, offset) : Codes.given(c.codes(), m);
      int run = Math.min(group, codes.length);
      int runs = Math.ceilDiv(codes.length, run);
      for (int r = 0; r < runs; r++) {
        int i = p.term(r, runs) * run;
        int stop = Math.min(codes.length, i + run);
        double[] part = Arrays.copyOfRange(weight, begin + i, begin + stop);
        double products = functions.dot(Arrays.copyOfRange(codes, i, stop), part);
        total = p.round(total + p.round(x.scale() * products));
        if (offset) {
          total = p.round(total + p.round(x.offset() * Arrays.stream(part).sum()));
        }
      }
    }
    return total;
  }
}
