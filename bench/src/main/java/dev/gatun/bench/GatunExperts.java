package dev.gatun.bench;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A layer of experts by the ops, from the router's logits on. */
final class GatunExperts implements Subject.Task {
  private final GatunTensors tensors;
  private final DType dtype;
  private final int inner;
  private final int hidden;
  private final Tensor x;
  private final List<Tensor> logits = new ArrayList<>();
  private final Tensor gateUp;
  private final Tensor down;
  private int turn;

  GatunExperts(GatunTensors tensors, KernelCase c) {
    int[] s = c.sizes();
    this.tensors = tensors;
    this.dtype = c.isBf16() ? DType.BF16 : DType.F32;
    this.hidden = s[2];
    this.inner = s[3];
    this.x = tensors.of(KernelCase.numbers(1, s[0] * hidden, 1), dtype, s[0], hidden);
    for (int turn = 0; turn < s[1]; turn++) {
      logits.add(tensors.of(c.logits(turn), DType.F32, s[0], s[1]));
    }
    this.gateUp = pack(c.gateUp(), s[1], 2 * inner, hidden);
    this.down = pack(c.down(), s[1], hidden, inner);
  }

  private Tensor pack(float[] weights, int experts, int outFeatures, int inFeatures) {
    List<Tensor> each = new ArrayList<>();
    try (Tensor all = Tensor.of(tensors.device(), weights, experts, outFeatures, inFeatures)) {
      for (int e = 0; e < experts; e++) {
        each.add(all.slice(0, e, e + 1).reshape(outFeatures, inFeatures));
      }
      return tensors.hold(Experts.pack(each, dtype));
    }
  }

  private Tensor layer() {
    Experts.Routing routing = Experts.route(logits.get(turn), 2, true, 1, null);
    turn = (turn + 1) % logits.size();
    Tensor both =
        Experts.linear(
            x, routing.rows(), routing, gateUp, null, 2L * inner, Activation.NONE, dtype);
    Tensor gated = Tensor.empty(tensors.device(), dtype, both.size(0), inner);
    tensors
        .device()
        .kernels()
        .run(
            new GatedActivation(
                both.slice(1, 0, inner).operand(),
                both.slice(1, inner, 2L * inner).operand(),
                Activation.SILU,
                gated.operand()));
    Tensor out = Experts.linear(gated, null, routing, down, null, hidden, Activation.NONE, dtype);
    return Experts.combine(out, routing, null, dtype);
  }

  @Override
  public void run() {
    try (Scope _ = Scope.open()) {
      layer();
    }
  }

  @Override
  public float[] result() {
    try (Scope _ = Scope.open()) {
      return tensors.floats(layer());
    }
  }
}
