package dev.gatun.djl;

import ai.djl.ndarray.types.DataType;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.Store;
import dev.gatun.djl.host.Strided;

/** The gradient of memory that requires one; given back with it. Safe for use by many threads. */
final class Leaf implements Store.Companion {
  private final DataType type;
  private final long count;
  private Strided gradient;
  private Tape from;
  private boolean ended;

  /**
   * @param type of the memory's elements
   * @param count how many
   */
  Leaf(DataType type, long count) {
    this.type = type;
    this.count = count;
  }

  /**
   * Adds a gradient of all elements to what the same tape gave; that of a closed one is gone. The
   * first becomes the gradient where nothing else has its memory.
   */
  synchronized void add(Tape tape, Strided given) {
    if (ended) {
      return;
    }
    if (from != tape && (from == null || from.isClosed())) {
      release();
    }
    from = tape;
    ArrayKernels kernels = ArrayKernels.host();
    if (gradient == null && given.type() == type && given.store().isAlone()) {
      given.store().retain();
      gradient = given;
    } else if (gradient == null) {
      gradient = Strided.allocate(type, count);
      kernels.copy(given, gradient);
    } else {
      kernels.binary(BinaryOp.ADD, type, gradient, given, gradient);
    }
  }

  /** A view of the gradient at places of the memory, 0 where there was none yet. */
  synchronized GatunNDArray at(GatunNDManager manager, Strided places) {
    if (gradient == null) {
      gradient = Strided.allocate(type, count);
      ArrayKernels.host().fill(gradient, 0);
    }
    return GatunNDArray.view(manager, gradient.at(places));
  }

  /** What a tape gave is gone; arrays that show it stay as they are. */
  synchronized void drop(Tape tape) {
    if (from == tape) {
      release();
    }
  }

  /** The gradient becomes 0, also where arrays show it. */
  synchronized void zero() {
    if (gradient != null) {
      ArrayKernels.host().fill(gradient, 0);
    }
  }

  private void release() {
    if (gradient != null) {
      gradient.store().release();
      gradient = null;
    }
  }

  @Override
  public synchronized void end() {
    ended = true;
    release();
  }
}
