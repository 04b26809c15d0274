package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** The gradients of {@link Layouts} and {@link Rotary}: what moved goes back. */
final class LayoutGradients {
  private LayoutGradients() {}

  /** Records an op whose elements are those of its input, in the same shape. */
  static void same(Node node, Tensor y) {
    node.record(() -> node.give(0, node.gradient()), y);
  }

  /** Records parts one after another on an axis. */
  static void concat(Node node, int axis, List<Tensor> parts, Tensor y) {
    long[] ends = new long[parts.size()];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      ends[i] = end += parts.get(i).size(axis);
    }
    node.record(
        () -> {
          for (int i = 0; i < ends.length; i++) {
            node.give(i, node.gradient().slice(axis, i == 0 ? 0 : ends[i - 1], ends[i]));
          }
        },
        y);
  }

  /** Records a rotation, whose gradient is rotated by as much the other way. */
  static void rotary(
      Node node, Tensor cosine, Tensor sine, Ids positions, boolean interleaved, Tensor y) {
    Tensor cos = node.save(cosine);
    Tensor sin = node.save(sine);
    Ids at = node.save(positions);
    node.record(
        () ->
            node.give(
                0,
                Rotary.rotaryEmbedding(node.gradient(), cos, Plain.negated(sin), at, interleaved)),
        y);
  }
}
