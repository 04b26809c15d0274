package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** Products y [m, n] of x [m, k] and a weight [n, k], plain or quantised. */
final class ProductRows {
  private static final int ROWS = 12;
  private static final int COLUMNS = 96;
  // Panels of quantised random numbers that are repeated: a prime number of them.
  private static final int PANELS = 17;
  // What sums in F32, added in any order and cut off by tensor cores, err by at most, of the sum of
  // the terms' sizes.
  private static final double SUMS = 0x1p-17;

  private static final Map<String, Weight> WEIGHTS = new ConcurrentHashMap<>();

  private ProductRows() {}

  static GpuCall matmul(Backend backend, GpuOperands operands, JsonNode row) {
    DType dtype = DType.valueOf(row.get("dtype").asText());
    long n = row.get("n").asLong();
    int k = row.get("k").asInt();
    Input x = operands.input(dtype, row.get("m").asLong(), k);
    Input weight = operands.input(dtype, n, k);
    Operand packed = operands.scratch(dtype, MatmulPack.packedCount(dtype, n, k));
    Operand y = operands.output(dtype, x.operand().size(0), n);
    backend.kernels().run(new MatmulPack(weight.operand(), packed));
    Matmul matmul = new Matmul(x.operand(), packed, null, Activation.NONE, y);
    return GpuCall.of(
        () -> backend.kernels().run(matmul),
        check ->
            compare(check, operands, y, m -> x.at(m * k, k), feature -> weight.at(feature * k, k)));
  }

  /** Panels of a quantised weight, and the same numbers again. */
  private record Weight(MemorySegment packed, BlockFormat format, byte[] blocks, int k) {
    static Weight make(BlockFormat format, PackedLayout layout, int k) {
      int rows = PANELS * PackedLayout.PANEL;
      byte[] blocks = new byte[(int) (rows * format.rowBytes(k))];
      Numbers numbers = Numbers.of(DType.F32);
      Quantizer.quantize(
          format,
          (row, x) -> {
            for (int i = 0; i < x.length; i++) {
              x[i] = (float) numbers.at(row * k + i);
            }
          },
          rows,
          k,
          MemorySegment.ofArray(blocks));
      MemorySegment packed = MemorySegment.ofArray(new byte[(int) layout.packedBytes(rows, k)]);
      Packer.pack(
          format, layout, MemorySegment.ofArray(blocks), format.rowBytes(k), rows, k, packed);
      return new Weight(packed, format, blocks, k);
    }

    double[] row(long feature) {
      long bytes = format.rowBytes(k);
      float[] row = new float[k];
      long place = feature % (PANELS * PackedLayout.PANEL) * bytes;
      Quantizer.dequantize(format, MemorySegment.ofArray(blocks).asSlice(place, bytes), row);
      double[] values = new double[k];
      for (int i = 0; i < k; i++) {
        values[i] = row[i];
      }
      return values;
    }
  }

  static GpuCall quantized(Backend backend, GpuOperands operands, JsonNode row) {
    DType dtype = DType.valueOf(row.get("dtype").asText());
    long m = row.get("m").asLong();
    long n = row.get("n").asLong();
    int k = row.get("k").asInt();
    BlockFormat format = BlockFormat.of(row.get("format").asText());
    PackedLayout layout = backend.kernels().layout(format);
    Weight weight =
        WEIGHTS.computeIfAbsent(format + " " + k, key -> Weight.make(format, layout, k));
    QuantizedActivations activations =
        QuantizedActivations.valueOf(row.get("activations").asText());
    Operand packed = operands.repeated(weight.packed(), layout.packedBytes(n, k));
    Input x = operands.input(dtype, m, k);
    Operand y = operands.output(dtype, m, n);
    Map<String, Runnable> ways = new LinkedHashMap<>();
    QuantizedMatmul matmul =
        new QuantizedMatmul(layout, activations, x.operand(), packed, null, Activation.NONE, y);
    ways.put("", () -> backend.kernels().run(matmul));
    boolean offsets = layout.scales() == PackedLayout.Scales.F32_SUM;
    LongFunction<double[]> tokens =
        switch (activations) {
          case EXACT -> i -> x.at(i * k, k);
          case INT8_PER_TOKEN -> i -> coded(x, i * k, k, k, offsets);
          case INT8_BLOCKS -> i -> coded(x, i * k, k, QuantizedMatmul.BLOCK, false);
        };
    Consumer<Check> check = c -> compare(c, operands, y, tokens, weight::row);
    if (activations != QuantizedActivations.INT8_PER_TOKEN) {
      return new GpuCall(ways, check);
    }
    Operand codes = operands.scratch(DType.I8, m, k);
    ActivationCodes meaning =
        new ActivationCodes(
            operands.scratch(DType.F32, m), offsets ? operands.scratch(DType.F32, m) : null);
    backend.kernels().run(new QuantizeTokens(x.operand(), new TokenCodes(codes, meaning, false)));
    QuantizedMatmul ofCodes =
        new QuantizedMatmul(
            layout, activations, codes, meaning, packed, null, Activation.NONE, null, y);
    ways.put("-from-codes", () -> backend.kernels().run(ofCodes));
    return new GpuCall(ways, check);
  }

  /**
   * A token as its codes say, which have a scale for each block of it, {@link
   * QuantizedActivations}.
   */
  private static double[] coded(Input x, long place, int k, int block, boolean offsets) {
    double[] values = new double[k];
    for (int start = 0; start < k; start += block) {
      int end = Math.min(k, start + block);
      float least = Float.POSITIVE_INFINITY;
      float most = Float.NEGATIVE_INFINITY;
      for (int i = start; i < end; i++) {
        least = Math.min(least, (float) x.at(place + i));
        most = Math.max(most, (float) x.at(place + i));
      }
      if (!offsets) {
        most = Math.max(most, -least);
        least = -most;
      }
      float half = most / 2 - least / 2;
      float offset = most / 2 + least / 2;
      float inverse = 127 / half;
      for (int i = start; i < end; i++) {
        double code = Math.rint(((float) x.at(place + i) - offset) * inverse);
        values[i] = offset + half / 127 * code;
      }
    }
    return values;
  }

  private static void compare(
      Check check,
      GpuOperands operands,
      Operand y,
      LongFunction<double[]> tokens,
      LongFunction<double[]> features) {
    long n = y.size(1);
    double epsilon = Numbers.epsilon(y.dtype());
    long[] columns = Check.places(n, COLUMNS);
    double[][] weights = new double[columns.length][];
    for (int c = 0; c < columns.length; c++) {
      weights[c] = features.apply(columns[c]);
    }
    for (long row : Check.places(y.size(0), ROWS)) {
      double[] x = tokens.apply(row);
      double[] got = operands.read(y, row * n, (int) n);
      for (int c = 0; c < columns.length; c++) {
        double wanted = 0;
        double size = 0;
        for (int i = 0; i < x.length; i++) {
          wanted += x[i] * weights[c][i];
          size += Math.abs(x[i] * weights[c][i]);
        }
        double allowed = epsilon * Math.abs(wanted) + SUMS * size;
        check.add("y", row, columns[c], got[(int) columns[c]], wanted, allowed);
      }
    }
  }
}
