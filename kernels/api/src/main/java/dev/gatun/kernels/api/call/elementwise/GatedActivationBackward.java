package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradients of {@link GatedActivation}: {@code dgate = dy · up · activation'(gate)} and {@code
 * dup = dy · activation(gate)}, with derivatives as {@link ActivationBackward} has them. Computed
 * in float and rounded once.
 *
 * @param dy F32, BF16 or F16 [rows, columns], rows without gaps inside, as all others
 * @param gate of dy's dtype [rows, columns]
 * @param up of dy's dtype [rows, columns]; may be the other half of gate's buffer
 * @param activation of the gate
 * @param dgate of dy's dtype [rows, columns]; may be gate, or dy
 * @param dup of dy's dtype [rows, columns]; may be up
 */
public record GatedActivationBackward(
    Operand dy, Operand gate, Operand up, Activation activation, Operand dgate, Operand dup)
    implements ElementwiseCall {
  private static final String NAME = "gated_activation_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public GatedActivationBackward {
    Checks.required(NAME, "activation", activation);
    DType dtype = Checks.floats(NAME, "dy", dy);
    Checks.operand(NAME, "dy", dy, dtype, 2);
    rows("dy", dy, dtype, dy);
    rows("gate", gate, dtype, dy);
    rows("up", up, dtype, dy);
    rows("dgate", dgate, dtype, dy);
    rows("dup", dup, dtype, dy);
    apart("dgate", dgate);
    apart("dup", dup);
    // What is written first must not be read later: each place is read before it is written.
    Checks.disjoint(
        new Operands(NAME, Checks.present(dy, gate, up), Checks.present(dgate, dup)), dy, gate, up);
  }

  private static void rows(String name, Operand operand, DType dtype, Operand dy) {
    Checks.shaped(NAME, name, operand, dtype, dy.size(0), dy.size(1));
    Checks.rows(NAME, name, operand);
  }

  private static void apart(String name, Operand operand) {
    if (operand.size(0) > 1 && operand.stride(0) < operand.size(1)) {
      throw Checks.bad(
          NAME, "%s %s has overlapping rows, stride %d", name, operand, operand.stride(0));
    }
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(dy, gate, up);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dgate, dup);
  }
}
