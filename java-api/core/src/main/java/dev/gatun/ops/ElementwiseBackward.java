package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * The gradients of {@link Elementwise}, which have none themselves: they refuse what is tracked.
 */
public final class ElementwiseBackward {
  private ElementwiseBackward() {}

  /**
   * The gradients of a gated activation, each of its operand's shape.
   *
   * @param gate of the gate
   * @param up of what it is multiplied by
   */
  public record Gated(Tensor gate, Tensor up) {}

  /**
   * The gradient of {@link Elementwise#activation}: {@code dy · activation'(x)}.
   *
   * @param dy F32, BF16 or F16, contiguous
   * @param x what the activation was of, of dy's shape and dtype, contiguous
   * @param activation the function
   * @return the gradient of x, of dy's shape and dtype
   * @throws UnsupportedOperationException when a tape tracks dy or x
   */
  public static Tensor activationBackward(Tensor dy, Tensor x, Activation activation) {
    Tape.refuse("activation_backward", dy);
    Tape.refuse("activation_backward", x);
    return Calls.eachRow(
        "activation_backward",
        dy,
        (k, rows, out) ->
            k.run(
                new ActivationBackward(
                    rows, Calls.rows("activation_backward", x).operand(), activation, out)),
        x);
  }

  /**
   * {@link #activationBackward} in simple ops.
   *
   * @param dy F32, BF16 or F16
   * @param x what the activation was of, of dy's shape and dtype
   * @param activation the function
   * @return the gradient of x, of dy's shape and dtype
   */
  public static Tensor plainActivationBackward(Tensor dy, Tensor x, Activation activation) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Plain.wide(dy);
      Tensor dx = Elementwise.plainActivationBackward(wide, inside(x), activation);
      return scope.keep(Plain.own(dy, Elementwise.cast(dx, dy.dtype())));
    }
  }

  /** x in F32, or the nearest number where slopes are as at infinity. */
  private static Tensor inside(Tensor x) {
    Tensor least = Plain.number(x.device(), -1e4);
    return Elementwise.minimum(
        Elementwise.maximum(Plain.wide(x), least), Plain.number(x.device(), 1e4));
  }

  /**
   * The gradients of {@link Elementwise#gatedActivation}: {@code dy · up · activation'(gate)} and
   * {@code dy · activation(gate)}.
   *
   * @param dy F32, BF16 or F16 [..., columns], of two axes also with gaps between rows, as the
   *     others
   * @param gate of dy's shape and dtype
   * @param up of dy's shape and dtype
   * @param activation of the gate
   * @return the gradients of gate and up, of dy's shape and dtype
   * @throws UnsupportedOperationException when a tape tracks an input
   */
  public static Gated gatedActivationBackward(
      Tensor dy, Tensor gate, Tensor up, Activation activation) {
    String name = "gated_activation_backward";
    Tape.refuse(name, dy);
    Tape.refuse(name, gate);
    Tape.refuse(name, up);
    Tensor dgate = Tensor.empty(dy.device(), dy.dtype(), dy.shape());
    boolean done = false;
    try {
      Tensor dup =
          Calls.run(
              Tensor.empty(dy.device(), dy.dtype(), dy.shape()),
              (_, y) -> gated(dy, gate, up, activation, dgate, y));
      done = true;
      return new Gated(dgate, dup);
    } finally {
      if (!done) {
        dgate.close();
      }
    }
  }

  /** Writes the gradients of a gated activation to dgate and dup, rows with gaps between. */
  static void gated(
      Tensor dy, Tensor gate, Tensor up, Activation activation, Tensor dgate, Tensor dup) {
    String name = "gated_activation_backward";
    dy.device()
        .kernels()
        .run(
            new GatedActivationBackward(
                Calls.rows(name, dy).operand(),
                Calls.rows(name, gate).operand(),
                Calls.rows(name, up).operand(),
                activation,
                Calls.rows(name, dgate).operand(),
                Calls.rows(name, dup).operand()));
    Calls.fence(dy, gate, up, dgate, dup);
  }

  /**
   * {@link #gatedActivationBackward} in simple ops.
   *
   * @param dy F32, BF16 or F16 [..., columns]
   * @param gate of dy's shape and dtype
   * @param up of dy's shape and dtype
   * @param activation of the gate
   * @return the gradients of gate and up, of dy's shape and dtype
   */
  public static Gated plainGatedActivationBackward(
      Tensor dy, Tensor gate, Tensor up, Activation activation) {
    try (Scope scope = Scope.open()) {
      Tensor d = Plain.wide(dy);
      Tensor g = Plain.wide(gate);
      Tensor scaled = Elementwise.multiply(d, Plain.wide(up));
      Tensor dgate = Elementwise.plainActivationBackward(scaled, g, activation);
      Tensor dup = Elementwise.multiply(d, Elementwise.activation(g, activation));
      return new Gated(
          scope.keep(Elementwise.cast(dgate, dy.dtype())),
          scope.keep(Elementwise.cast(dup, dy.dtype())));
    }
  }
}
