package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;

/**
 * What products read of parameters that change: made when it is first asked for, and again after
 * one of them {@link Parameter#changed}. Threads that only read may share it.
 */
final class PackedCopy implements AutoCloseable {
  private final Tensor packed;
  private final List<Parameter> parameters;
  private final Consumer<Tensor> pack;
  private long version = -1;

  /**
   * @param packed room for it, owned from now on
   * @param parameters whose numbers it has
   * @param pack fills the room with their numbers
   */
  PackedCopy(Tensor packed, List<Parameter> parameters, Consumer<Tensor> pack) {
    this.packed = packed;
    this.parameters = List.copyOf(parameters);
    this.pack = pack;
  }

  /** The parameters' numbers as they are now, packed. */
  synchronized Tensor get() {
    long now = 0;
    for (Parameter parameter : parameters) {
      now += parameter.version();
    }
    if (now != version) {
      try (var _ = Tape.pause()) {
        pack.accept(packed);
      }
      version = now;
    }
    return packed;
  }

  @Override
  public void close() {
    packed.close();
  }
}
