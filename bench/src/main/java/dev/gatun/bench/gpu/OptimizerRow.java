package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.bench.gpu.GpuOperands.Input;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A step of AdamW, which changes its parameter and what it keeps in place: what many steps made of
 * them nobody follows, so that one more of the first numbers is compared.
 */
final class OptimizerRow {
  private static final int PLACES = 2000;
  private static final double RATE = 1e-3;
  private static final double DECAY = 0.01;
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPS = 1e-8;

  private final GpuOperands operands;
  private final Input parameter;
  private final Input gradient;
  private final Input mean;
  private final Operand squares;

  private OptimizerRow(GpuOperands operands, long count) {
    this.operands = operands;
    parameter = operands.input(DType.F32, count);
    gradient = operands.input(DType.F32, count);
    mean = operands.input(DType.F32, count);
    squares = operands.input(DType.F32, count).operand();
    operands.zero(squares);
    // What is waited for.
    operands.output(DType.F32, 1);
  }

  static GpuCall make(Backend backend, GpuOperands operands, JsonNode json) {
    OptimizerRow row = new OptimizerRow(operands, json.get("parameters").asLong());
    OptimizerStep step =
        new OptimizerStep(
            new UpdateRule.Adam(BETA1, BETA2, EPS, false, true),
            1,
            List.of(
                new ParameterUpdate(
                    row.parameter.operand(),
                    row.gradient.operand(),
                    List.of(row.mean.operand(), row.squares),
                    null,
                    RATE,
                    DECAY)),
            1,
            null,
            Float.POSITIVE_INFINITY);
    return GpuCall.of(
        () -> backend.kernels().run(step),
        check -> {
          operands.refill(row.parameter);
          operands.refill(row.mean);
          operands.zero(row.squares);
          backend.kernels().run(step);
          row.check(check);
        });
  }

  private void check(Check check) {
    for (long i : Check.places(squares.count(), PLACES)) {
      double g = gradient.at(i);
      double m = mean.at(i) + (1 - BETA1) * (g - mean.at(i));
      double v = (1 - BETA2) * g * g;
      double p = parameter.at(i);
      double change = RATE / (1 - BETA1) * m / (Math.sqrt(v) / Math.sqrt(1 - BETA2) + EPS);
      double wanted = p * (1 - RATE * DECAY) - change;
      double allowed = 0x1p-21 * (Math.abs(p) + Math.abs(change)) + 1e-9;
      check.add("parameter", i, 0, operands.read(parameter.operand(), i, 1)[0], wanted, allowed);
      check.add(
          "exp_avg",
          i,
          0,
          operands.read(mean.operand(), i, 1)[0],
          m,
          0x1p-21 * (Math.abs(m) + Math.abs(g)));
      check.add("exp_avg_sq", i, 0, operands.read(squares, i, 1)[0], v, 0x1p-21 * v + 1e-12);
    }
  }
}
