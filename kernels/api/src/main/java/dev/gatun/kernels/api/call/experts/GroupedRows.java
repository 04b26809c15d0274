package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/**
 * What both grouped products ask of their operands but for the weight.
 *
 * @param x F32, BF16 or F16 [places or tokens, in_features]
 * @param rows I32 [places], or null
 * @param offsets I32 [experts + 1]
 * @param bias F32 [experts, out_features], or null
 * @param y F32, BF16 or F16 [places, out_features]
 */
record GroupedRows(Operand x, Operand rows, Operand offsets, Operand bias, Operand y) {
  void check(String kernel) {
    Checks.operand(kernel, "x", x, Checks.floats(kernel, "x", x), 2);
    Checks.rows(kernel, "x", x);
    Checks.operand(kernel, "y", y, Checks.floats(kernel, "y", y), 2);
    Checks.rows(kernel, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(kernel, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    if (y.size(0) > Integer.MAX_VALUE || x.size(0) > Integer.MAX_VALUE) {
      throw Checks.bad(kernel, "x %s and y %s: expected fewer than 2^31 rows", x, y);
    }
    if (rows == null) {
      Checks.shaped(kernel, "y", y, y.dtype(), x.size(0), y.size(1));
    } else {
      Checks.shaped(kernel, "rows", rows, DType.I32, y.size(0));
      Checks.contiguous(kernel, "rows", rows);
    }
    Checks.operand(kernel, "offsets", offsets, DType.I32, 1);
    Checks.contiguous(kernel, "offsets", offsets);
    if (offsets.size(0) < 2) {
      throw Checks.bad(kernel, "offsets is %s, expected one more than experts", offsets);
    }
    if (bias != null) {
      Checks.shaped(kernel, "bias", bias, DType.F32, experts(), y.size(1));
      Checks.contiguous(kernel, "bias", bias);
    }
  }

  long experts() {
    return offsets.size(0) - 1;
  }
}
