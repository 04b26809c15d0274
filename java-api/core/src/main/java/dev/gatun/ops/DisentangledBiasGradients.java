package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/**
 * The gradient of {@link Attention#disentangledBias}: each pair's goes back to the relative scores
 * that it was taken from, pairs added up in their order.
 */
final class DisentangledBiasGradients {
  private DisentangledBiasGradients() {}

  /**
   * Records the bias.
   *
   * @param node with the inputs c2p and p2c
   * @param some of them
   */
  static void record(
      Node node,
      Tensor some,
      Segments segments,
      Tensor positions,
      Attention.Distances distances,
      float scale,
      Tensor bias) {
    Segments kept = node.save(segments);
    Tensor at = node.save(positions);
    long[] shape = some.shape();
    node.record(
        () -> {
          Tensor dBias = node.gradient();
          long heads = shape[0];
          long sequences = kept.sequences();
          long longest = kept.longest();
          if (dBias.count() == 0) {
            giveNothing(node, dBias, shape);
            return;
          }
          Tensor inside =
              Elementwise.less(Plain.count(dBias.device(), longest), Plain.lengths(kept));
          Tensor pairs =
              Elementwise.multiply(
                  inside.reshape(sequences, 1, longest, 1),
                  inside.reshape(sequences, 1, 1, longest));
          Tensor clean = Plain.times(Elementwise.keepWhere(dBias, pairs), scale);
          long count = sequences * longest * longest;
          Tensor rows = Layouts.permute(clean, 0, 2, 3, 1).reshape(count, heads);
          // Whole numbers: there may be more places than F32 counts to.
          Tensor index = Elementwise.cast(distances.places(at, kept), DType.I64);
          Tensor width = Tensor.of(dBias.device(), new long[] {shape[2]}, 1);
          Tensor token = Attention.Distances.tokens(kept);
          for (int part = 0; part < 2; part++) {
            if (node.needs(part)) {
              Tensor row =
                  part == 0
                      ? token.reshape(sequences, longest, 1)
                      : token.reshape(sequences, 1, longest);
              Tensor begin = Elementwise.multiply(Elementwise.cast(row, DType.I64), width);
              Tensor placed = Elementwise.add(begin, index);
              Ids place = Ids.known(placed.reshape(count), shape[1] * shape[2]);
              Tensor sum = Tensor.zeros(dBias.device(), shape[1] * shape[2], heads);
              Indexing.indexAdd(sum, place, rows);
              node.give(part, Layouts.transpose(sum, 0, 1).reshape(shape));
            }
          }
        },
        bias);
  }

  private static void giveNothing(Node node, Tensor some, long... shape) {
    for (int part = 0; part < 2; part++) {
      if (node.needs(part)) {
        node.give(part, Tensor.zeros(some.device(), shape));
      }
    }
  }
}
