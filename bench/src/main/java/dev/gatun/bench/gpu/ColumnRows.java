package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;

/** What works on rows, or elements, of x [rows, columns]. */
final class ColumnRows {
  private static final int ROWS = 6;

  /** A row of results of a row of x and one of another operand. */
  private interface Formula {
    double[] of(double[] x, double[] other);
  }

  private ColumnRows() {}

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode row) {
    DType dtype = DType.valueOf(row.get("dtype").asText());
    int columns = row.get("columns").asInt();
    Input input = operands.input(dtype, row.get("rows").asLong(), columns);
    Operand x = input.operand();
    Operand y = operands.output(dtype, x.shape());
    Kernels kernels = backend.kernels();
    switch (row.get("kernel").asText()) {
      case "rms_norm" -> {
        Input weight = operands.input(dtype, columns);
        RmsNorm norm = new RmsNorm(x, null, weight.operand(), 0, 1e-6f, y, null);
        double[] w = weight.at(0, columns);
        return call(
            () -> kernels.run(norm), operands, input, null, norm, (v, o) -> rms(v, w, 1e-6f));
      }
      case "layer_norm" -> {
        Input weight = operands.input(dtype, columns);
        Input bias = operands.input(dtype, columns);
        LayerNorm norm = new LayerNorm(x, null, weight.operand(), bias.operand(), 1e-5f, y, null);
        double[] w = weight.at(0, columns);
        double[] b = bias.at(0, columns);
        return call(
            () -> kernels.run(norm), operands, input, null, norm, (v, o) -> layer(v, w, b, 1e-5f));
      }
      case "rms_norm_codes" -> {
        return codes(backend, operands, input);
      }
      case "softmax" -> {
        Softmax softmax = new Softmax(x, false, y);
        return call(
            () -> kernels.run(softmax), operands, input, null, softmax, (v, o) -> softmax(v));
      }
      case "gelu" -> {
        Activate gelu = new Activate(x, Activation.GELU, y);
        return call(
            () -> kernels.run(gelu),
            operands,
            input,
            null,
            gelu,
            (v, o) -> Arrays.stream(v).map(a -> a * (1 + Erf.erf(a / Math.sqrt(2))) / 2).toArray());
      }
      case "silu_gate" -> {
        Input other = operands.input(dtype, x.shape());
        GatedActivation gate = new GatedActivation(x, other.operand(), Activation.SILU, y);
        return call(
            () -> kernels.run(gate),
            operands,
            input,
            other,
            gate,
            (v, o) -> each(v, i -> v[i] / (1 + Math.exp(-v[i])) * o[i]));
      }
      case "add" -> {
        Input other = operands.input(dtype, x.shape());
        Elementwise add = new Elementwise(x, other.operand(), BinaryOp.ADD, y);
        return call(
            () -> kernels.run(add),
            operands,
            input,
            other,
            add,
            (v, o) -> each(v, i -> v[i] + o[i]));
      }
      default ->
          throw new IllegalArgumentException(
              "shapes.json: no kernel '" + row.get("kernel").asText() + "'");
    }
  }

  /** The sum with a residual, its norm, and that as int8 with a scale a row. */
  private static GpuCall codes(Backend backend, GpuOperands operands, Input x) {
    long rows = x.operand().size(0);
    int columns = (int) x.operand().size(1);
    DType dtype = x.operand().dtype();
    Input residual = operands.input(dtype, rows, columns);
    Input weight = operands.input(dtype, columns);
    Operand sum = operands.output(dtype, rows, columns);
    Operand codes = operands.output(DType.I8, rows, columns);
    Operand scales = operands.output(DType.F32, rows);
    RmsNorm norm =
        new RmsNorm(
            x.operand(),
            residual.operand(),
            weight.operand(),
            0,
            1e-6f,
            null,
            sum,
            new TokenCodes(codes, new ActivationCodes(scales, null), false));
    double[] w = weight.at(0, columns);
    return GpuCall.of(
        () -> backend.kernels().run(norm),
        check -> {
          double epsilon = Numbers.epsilon(dtype);
          for (long row : Check.places(rows, ROWS)) {
            double[] a = x.at(row * columns, columns);
            double[] b = residual.at(row * columns, columns);
            double[] added = operands.read(sum, row * columns, columns);
            double[] wanted = rms(each(a, i -> a[i] + b[i]), w, 1e-6f);
            double scale = operands.read(scales, row, 1)[0];
            double[] got = operands.read(codes, row * columns, columns);
            double most = Arrays.stream(wanted).map(Math::abs).max().orElse(0);
            check.add("scales", row, 0, scale, most / 127, 3 * epsilon * most / 127);
            for (int i = 0; i < columns; i++) {
              double size = Math.abs(a[i]) + Math.abs(b[i]);
              check.add("sum", row, i, added[i], a[i] + b[i], epsilon * size);
              // Half a code, and what the norm and the scale are rounded by.
              double allowed = 0.51 * most / 127 + 4 * epsilon * Math.abs(wanted[i]);
              check.add("codes", row, i, got[i] * scale, wanted[i], allowed);
            }
          }
        });
  }

  private static GpuCall call(
      Runnable run, GpuOperands operands, Input x, Input other, KernelCall call, Formula formula) {
    Operand y = call.outputs().getFirst();
    return GpuCall.of(
        run,
        check -> {
          int columns = (int) y.size(1);
          double epsilon = Numbers.epsilon(y.dtype());
          for (long row : Check.places(y.size(0), ROWS)) {
            double[] wanted =
                formula.of(
                    x.at(row * columns, columns),
                    other == null ? null : other.at(row * columns, columns));
            double[] got = operands.read(y, row * columns, columns);
            for (int i = 0; i < columns; i++) {
              check.add("y", row, i, got[i], wanted[i], epsilon * Math.abs(wanted[i]) + 0x1p-18);
            }
          }
        });
  }

  private interface Element {
    double at(int i);
  }

  private static double[] each(double[] x, Element element) {
    double[] y = new double[x.length];
    Arrays.setAll(y, element::at);
    return y;
  }

  private static double[] rms(double[] x, double[] w, double epsilon) {
    double mean = Arrays.stream(x).map(a -> a * a).average().orElse(0);
    return each(x, i -> x[i] / Math.sqrt(mean + epsilon) * w[i]);
  }

  private static double[] layer(double[] x, double[] w, double[] b, double epsilon) {
    double mean = Arrays.stream(x).average().orElse(0);
    double variance = Arrays.stream(x).map(a -> (a - mean) * (a - mean)).average().orElse(0);
    return each(x, i -> (x[i] - mean) / Math.sqrt(variance + epsilon) * w[i] + b[i]);
  }

  private static double[] softmax(double[] x) {
    double most = Arrays.stream(x).max().orElse(0);
    double total = Arrays.stream(x).map(a -> Math.exp(a - most)).sum();
    return each(x, i -> Math.exp(x[i] - most) / total);
  }
}
