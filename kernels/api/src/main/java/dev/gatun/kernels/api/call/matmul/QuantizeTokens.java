package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Activations as signed bytes, as {@link TokenCodes} says, for {@link QuantizedMatmul}s to read.
 *
 * @param x F32, BF16 or F16 [rows, columns], rows without gaps inside
 * @param codes of x's shape
 */
public record QuantizeTokens(Operand x, TokenCodes codes) implements MatmulCall {
  private static final String NAME = "quantize_tokens";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public QuantizeTokens {
    Checks.operand(NAME, "x", x, Checks.floats(NAME, "x", x), 2);
    Checks.rows(NAME, "x", x);
    Checks.required(NAME, "codes", codes);
    codes.check(NAME, x.size(0), x.size(1));
    Checks.disjoint(new Operands(NAME, TokenCodes.inputs(codes, x), TokenCodes.outputs(codes)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return TokenCodes.inputs(codes, x);
  }

  @Override
  public List<Operand> outputs() {
    return TokenCodes.outputs(codes);
  }
}
