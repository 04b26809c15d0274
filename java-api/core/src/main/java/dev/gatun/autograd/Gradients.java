package dev.gatun.autograd;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The gradients of a tape's leaves, F32, in memory of their own: they stay when the tape is closed.
 */
public final class Gradients implements AutoCloseable {
  private final Map<Buffer, Tensor> sums = new IdentityHashMap<>();
  // In the order of the leaves.
  private final List<Buffer> order = new ArrayList<>();
  private boolean closed;

  /** None yet, for {@link Tape#backward} to add to. */
  public Gradients() {}

  /**
   * {@return the gradient of a leaf or a view of one: F32 of its shape, laid out like it; null
   * where the loss does not depend on the leaf's memory} It is open as long as this is.
   *
   * @param leaf a leaf of the tape, or a view of one
   * @throws IllegalArgumentException for another tensor
   * @throws IllegalStateException when this is closed
   */
  public Tensor of(Tensor leaf) {
    if (closed) {
      throw new IllegalStateException("gradients: are closed, asked for that of " + leaf);
    }
    if (!sums.containsKey(leaf.operand().buffer())) {
      throw new IllegalArgumentException(
          "gradients: %s is no leaf of the tape, expected one of %d".formatted(leaf, order.size()));
    }
    Tensor sum = sums.get(leaf.operand().buffer());
    return sum == null ? null : Tracked.part(sum, leaf.operand());
  }

  /**
   * {@return the gradients that there are, one for each leaf's memory in the order of the leaves:
   * F32 [elements]}
   */
  public List<Tensor> all() {
    List<Tensor> all = new ArrayList<>();
    for (Buffer buffer : order) {
      Tensor sum = sums.get(buffer);
      if (sum != null) {
        all.add(sum.reshape(sum.count()));
      }
    }
    return all;
  }

  Tensor take(Tensor leaf) {
    if (closed) {
      throw new IllegalStateException("gradients: are closed, nothing can be added to them");
    }
    return sums.put(leaf.operand().buffer(), null);
  }

  void put(Tensor leaf, Tensor sum) {
    Buffer buffer = leaf.operand().buffer();
    if (!order.contains(buffer)) {
      order.add(buffer);
    }
    sums.put(buffer, sum);
  }

  @Override
  public void close() {
    closed = true;
    sums.values()
        .forEach(
            sum -> {
              if (sum != null) {
                sum.close();
              }
            });
    sums.clear();
    order.clear();
  }
}
