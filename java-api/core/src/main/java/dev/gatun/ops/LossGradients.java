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
          LossBackward.Settings settings = LossBackward.Settings.of(ignoreIndex);
          Tensor weights = Layouts.contiguous(node.gradient());
          node.give(
              0,
              LossBackward.crossEntropyBackward(Plain.wide(kept), keptTargets, weights, settings, 1)
                  .logits());
        },
        loss);
  }
}
