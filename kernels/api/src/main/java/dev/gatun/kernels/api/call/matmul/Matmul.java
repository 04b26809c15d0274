package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A linear layer: {@code y[m, n] = activation(Σₖ x[m, k] weight[n, k] + bias[n])}. Sums are F32.
 * With a BF16 weight x is rounded to BF16 first, and subnormal numbers may count as 0. A library
 * may round the bias, and the sum that an activation is applied to, to y's type.
 *
 * <p>The weight is packed, as {@link MatmulPack} of the same backend lays it out, or has its rows
 * as a file has them. The latter gives the same to the bit; nothing is kept of the packed form, so
 * it needs no memory for it, and takes the time of packing at each call.
 *
 * @param x F32, BF16 or F16 [rows, in_features], rows without gaps inside; F32 with an F32 weight
 * @param weight F32, BF16 or F16: the packed form of [out_features, in_features], or that itself,
 *     rows without gaps inside
 * @param bias F32 [out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param y F32, BF16 or F16 [rows, out_features], rows without gaps inside; F32 with an F32 weight
 */
public record Matmul(Operand x, Operand weight, Operand bias, Activation activation, Operand y)
    implements MatmulCall {
  private static final String NAME = "matmul";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Matmul {
    Checks.required(NAME, "activation", activation);
    DType dtype = Checks.floats(NAME, "weight", weight);
    boolean wide = dtype == DType.F32;
    Checks.operand(NAME, "x", x, wide ? DType.F32 : Checks.floats(NAME, "x", x), 2);
    Checks.rows(NAME, "x", x);
    Checks.operand(NAME, "y", y, wide ? DType.F32 : Checks.floats(NAME, "y", y), 2);
    Checks.shaped(NAME, "y", y, y.dtype(), x.size(0), y.size(1));
    Checks.rows(NAME, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(NAME, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    long count =
        Checks.counted(
            NAME,
            "the packed weight of x",
            x,
            () -> MatmulPack.packedCount(dtype, y.size(1), x.size(1)));
    if (weight.rank() == 2) {
      Checks.shaped(NAME, "weight", weight, dtype, y.size(1), x.size(1));
      Checks.rows(NAME, "weight", weight);
    } else {
      Checks.shaped(NAME, "weight", weight, dtype, count);
      Checks.contiguous(NAME, "weight", weight);
    }
    if (bias != null) {
      Checks.shaped(NAME, "bias", bias, DType.F32, y.size(1));
      Checks.contiguous(NAME, "bias", bias);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(x, weight, bias), Checks.present(y)));
  }

  /** {@return whether the weight is in its packed form, not in rows} */
  public boolean isPacked() {
    return weight.rank() == 1;
  }

  /**
   * {@return the same product by a weight that is packed}
   *
   * @param packed [{@link MatmulPack#packedCount}]
   */
  public Matmul byPacked(Operand packed) {
    return new Matmul(x, packed, bias, activation, y);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, weight, bias);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
