package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gated products of feed-forward layers (Shazeer, arXiv 2002.05202): {@code y =
 * activation(gate) · up}. SwiGLU is {@link Activation#SILU}, GeGLU {@link Activation#GELU} or its
 * approximation.
 *
 * @param gate F32, BF16 or F16 [rows, columns], rows without gaps inside
 * @param up of gate's dtype [rows, columns], rows without gaps inside; may be the other half of
 *     gate's buffer
 * @param activation of the gate
 * @param y of gate's dtype [rows, columns] contiguous; may be gate or up where these are contiguous
 */
public record GatedActivation(Operand gate, Operand up, Activation activation, Operand y)
    implements ElementwiseCall {
  private static final String NAME = "gated_activation";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public GatedActivation {
    Checks.required(NAME, "activation", activation);
    DType dtype = Checks.floats(NAME, "gate", gate);
    Checks.operand(NAME, "gate", gate, dtype, 2);
    Checks.rows(NAME, "gate", gate);
    Checks.shaped(NAME, "up", up, dtype, gate.size(0), gate.size(1));
    Checks.rows(NAME, "up", up);
    Checks.shaped(NAME, "y", y, dtype, gate.size(0), gate.size(1));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, Checks.present(gate, up), Checks.present(y)), gate, up);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(gate, up);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
