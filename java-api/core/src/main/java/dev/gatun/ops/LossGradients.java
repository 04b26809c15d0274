package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.tensor.Tensor;

/** The gradients of {@link Loss}. */
final class LossGradients {
  private LossGradients() {}

  /** Records the losses of rows: {@code dlogits = (softmax(logits) - onehot(target)) dloss}. */
  static void crossEntropy(
      Node node, Tensor logits, Tensor targets, long ignoreIndex, Tensor loss) {
    Tensor kept = node.save(logits);
    Tensor keptTargets = node.save(targets);
    node.record(
        () -> {
          Tensor p = Norm.softmax(Plain.wide(kept));
          long rows = p.size(0);
          Tensor target = Plain.wide(keptTargets).reshape(rows, 1);
          Tensor ignored = Elementwise.equal(target, Plain.number(p.device(), ignoreIndex));
          Tensor classes = Plain.count(p.device(), p.size(1));
          Tensor away = Elementwise.subtract(p, Elementwise.equal(classes, target));
          Tensor scaled = Elementwise.multiply(away, node.gradient().reshape(rows, 1));
          node.give(0, Elementwise.keepWhere(scaled, Plain.not(ignored)));
        },
        loss);
  }
}
