package dev.gatun.kernels.api;

import java.util.List;

/**
 * A linear layer: {@code y[m, n] = activation(Σₖ x[m, k] weight[n, k] + bias[n])}, the weight as
 * {@link MatmulPack} lays it out.
 *
 * @param x F32 [rows, in_features], rows without gaps inside
 * @param packed F32, the packed weight [out_features, in_features]
 * @param bias F32 [out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param y F32 [rows, out_features], rows without gaps inside
 */
public record Matmul(Operand x, Operand packed, Operand bias, Activation activation, Operand y)
    implements KernelCall {

  private static final String NAME = "matmul";

  public Matmul {
    Checks.required(NAME, "activation", activation);
    Checks.operand(NAME, "x", x, DType.F32, 2);
    Checks.rows(NAME, "x", x);
    Checks.operand(NAME, "y", y, DType.F32, 2);
    Checks.shaped(NAME, "y", y, DType.F32, x.size(0), y.size(1));
    Checks.rows(NAME, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(NAME, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    Checks.shaped(NAME, "packed", packed, DType.F32, MatmulPack.packedCount(y.size(1), x.size(1)));
    Checks.contiguous(NAME, "packed", packed);
    if (bias != null) {
      Checks.shaped(NAME, "bias", bias, DType.F32, y.size(1));
      Checks.contiguous(NAME, "bias", bias);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(x, packed, bias), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, packed, bias);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
