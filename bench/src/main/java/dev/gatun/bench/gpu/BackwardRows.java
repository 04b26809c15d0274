package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.loss.CrossEntropyBackward;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.Arrays;

/** Gradients of what works on rows of x [rows, columns]. */
final class BackwardRows {
  private static final int ROWS = 6;
  private static final int COLUMNS = 8;
  private static final float EPS = 1e-5f;

  private final Backend backend;
  private final GpuOperands operands;
  private final DType dtype;
  private final long rows;
  private final int columns;
  private final double epsilon;

  private BackwardRows(Backend backend, GpuOperands operands, JsonNode row) {
    this.backend = backend;
    this.operands = operands;
    dtype = DType.valueOf(row.get("dtype").asText());
    rows = row.get("rows").asLong();
    columns = row.get("columns").asInt();
    epsilon = Numbers.epsilon(dtype);
  }

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode json) {
    BackwardRows row = new BackwardRows(backend, operands, json);
    return switch (json.get("kernel").asText()) {
      case "layer_norm_backward" -> row.norm(true);
      case "rms_norm_backward" -> row.norm(false);
      case "silu_gate_backward" -> row.gate();
      default -> row.crossEntropy();
    };
  }

  private Input input() {
    return operands.input(dtype, rows, columns);
  }

  private Operand output() {
    return operands.output(dtype, rows, columns);
  }

  private GpuCall norm(boolean centred) {
    Input dy = input();
    Input x = input();
    Input weight = operands.input(dtype, columns);
    Operand dx = output();
    Operand dweight = operands.output(DType.F32, columns);
    Operand dbias = centred ? operands.output(DType.F32, columns) : null;
    Norm norm = new Norm(centred, dy, x, weight.at(0, columns));
    Runnable call;
    if (centred) {
      LayerNormBackward record =
          new LayerNormBackward(
              dy.operand(), x.operand(), weight.operand(), EPS, null, dx, dweight, dbias);
      call = () -> backend.kernels().run(record);
    } else {
      RmsNormBackward record =
          new RmsNormBackward(
              dy.operand(), x.operand(), weight.operand(), 0, EPS, null, dx, dweight);
      call = () -> backend.kernels().run(record);
    }
    return GpuCall.of(
        call,
        check -> {
          for (long row : Check.places(rows, ROWS)) {
            norm.check(check, row, operands.read(dx, row * columns, columns));
          }
          norm.checkSums(check, dweight, dbias);
        });
  }

  /** A norm's rows and what the host computes of them. */
  private final class Norm {
    private final boolean centred;
    private final Input dy;
    private final Input x;
    private final double[] weight;

    Norm(boolean centred, Input dy, Input x, double... weight) {
      this.centred = centred;
      this.dy = dy;
      this.x = x;
      this.weight = weight;
    }

    private double[] normed(long row) {
      double[] h = x.at(row * columns, columns);
      double mean = centred ? Arrays.stream(h).average().orElse(0) : 0;
      double squares = Arrays.stream(h).map(a -> (a - mean) * (a - mean)).average().orElse(0);
      double scale = scale(squares);
      Arrays.setAll(h, i -> (h[i] - mean) * scale);
      return h;
    }

    private double scale(double squares) {
      return 1 / Math.sqrt(squares + EPS);
    }

    void check(Check check, long row, double[] got) {
      double[] values = x.at(row * columns, columns);
      double mean = centred ? Arrays.stream(values).average().orElse(0) : 0;
      double scale =
          scale(Arrays.stream(values).map(a -> (a - mean) * (a - mean)).average().orElse(0));
      double[] h = normed(row);
      double[] g = dy.at(row * columns, columns);
      double ones = 0;
      double products = 0;
      for (int i = 0; i < columns; i++) {
        g[i] *= weight[i];
        ones += g[i] / columns;
        products += g[i] * h[i] / columns;
      }
      for (int i = 0; i < columns; i++) {
        double wanted = (g[i] - (centred ? ones : 0) - h[i] * products) * scale;
        check.add("dx", row, i, got[i], wanted, epsilon * Math.abs(wanted) + 0x1p-18);
      }
    }

    void checkSums(Check check, Operand dweight, Operand dbias) {
      long[] places = Check.places(columns, COLUMNS);
      double[] weights = new double[places.length];
      double[] biases = new double[places.length];
      double[] squares = new double[places.length];
      for (long row = 0; row < rows; row++) {
        double[] h = normed(row);
        for (int i = 0; i < places.length; i++) {
          double g = dy.at(row * columns + places[i]);
          double term = g * h[(int) places[i]];
          weights[i] += term;
          biases[i] += g;
          squares[i] += term * term + g * g;
        }
      }
      for (int i = 0; i < places.length; i++) {
        double allowed = 0x1p-18 * Math.sqrt(squares[i]) * Math.sqrt(rows) + 1e-6;
        check.add(
            "dweight", 0, places[i], operands.read(dweight, places[i], 1)[0], weights[i], allowed);
        if (dbias != null) {
          check.add(
              "dbias", 0, places[i], operands.read(dbias, places[i], 1)[0], biases[i], allowed);
        }
      }
    }
  }

  private GpuCall gate() {
    Input dy = input();
    Input gate = input();
    Input up = input();
    Operand dgate = output();
    Operand dup = output();
    GatedActivationBackward call =
        new GatedActivationBackward(
            dy.operand(), gate.operand(), up.operand(), Activation.SILU, dgate, dup);
    return GpuCall.of(
        () -> backend.kernels().run(call),
        check -> {
          for (long row : Check.places(rows, ROWS)) {
            double[] gates = operands.read(dgate, row * columns, columns);
            double[] ups = operands.read(dup, row * columns, columns);
            for (int i = 0; i < columns; i++) {
              long at = row * columns + i;
              double x = gate.at(at);
              double share = 1 / (1 + Math.exp(-x));
              double ofGate = dy.at(at) * up.at(at) * share * (1 + x * (1 - share));
              double ofUp = dy.at(at) * x * share;
              check.add(
                  "dgate", row, i, gates[i], ofGate, 2 * epsilon * Math.abs(ofGate) + 0x1p-18);
              check.add("dup", row, i, ups[i], ofUp, 2 * epsilon * Math.abs(ofUp) + 0x1p-18);
            }
          }
        });
  }

  /** Loss and gradients in one pass; each row's target is its own number. */
  private GpuCall crossEntropy() {
    Input logits = input();
    Indices targets = new Indices(operands.numbered(rows), columns);
    Operand dlogits = output();
    Operand loss = operands.output(DType.F32, rows);
    // So that gradients are not lost in what is allowed.
    float scale = 16;
    CrossEntropyBackward call =
        new CrossEntropyBackward(logits.operand(), targets, null, -100, 0, 0, scale, dlogits, loss);
    return GpuCall.of(
        () -> backend.kernels().run(call),
        check -> {
          for (long row : Check.places(rows, ROWS)) {
            double[] x = logits.at(row * columns, columns);
            double most = Arrays.stream(x).max().orElse(0);
            double total = Arrays.stream(x).map(a -> Math.exp(a - most)).sum();
            double sum = most + Math.log(total);
            double wanted = scale * (sum - x[(int) row]);
            check.add("loss", row, 0, operands.read(loss, row, 1)[0], wanted, 1e-5 * scale * sum);
            double[] got = operands.read(dlogits, row * columns, columns);
            for (int i = 0; i < columns; i++) {
              double gradient = scale * (Math.exp(x[i] - sum) - (i == row ? 1 : 0));
              double allowed = epsilon * Math.abs(gradient) + 1e-5 * Math.abs(gradient) + 1e-9;
              check.add("dlogits", row, i, got[i], gradient, allowed);
            }
          }
        });
  }
}
