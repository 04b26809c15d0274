package dev.gatun.autograd;

import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * Work whose steps are not kept for the backward but computed again there, from what the work takes
 * from outside of it (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv
 * 1604.06174):
 *
 * <pre>hidden = Checkpoint.of(() -&gt; layer.forward(hidden));</pre>
 *
 * <p>Both passes have the same bits, and so have the gradients with and without it, as long as the
 * work gives the same each time: its random numbers come from the tape's seed, or from seeds that
 * are arguments. What ops take from outside stays open until the backward has run; numbers that the
 * work takes otherwise, by {@code toFloatArray} or the like, its caller keeps.
 */
public final class Checkpoint {
  private Checkpoint() {}

  /**
   * Runs work, and again in the backward.
   *
   * @param work gives a tensor that it made; runs in a scope of its own, on this thread
   * @return what it gave
   */
  public static Tensor of(Supplier<Tensor> work) {
    Tape tape = Tape.recording();
    return tape == null ? work.get() : tape.checkpoint(() -> List.of(work.get())).getFirst();
  }

  /**
   * The same of several tensors.
   *
   * @param work gives tensors that it made, each in memory of its own
   * @return what it gave
   */
  public static List<Tensor> all(Supplier<List<Tensor>> work) {
    Tape tape = Tape.recording();
    return tape == null ? work.get() : tape.checkpoint(work);
  }
}
