package dev.gatun.autograd;

import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;

/** Memory whose gradient is computed, and the gradient as far as it is. */
final class Tracked {
  private final Device device;
  private final long elements;

  /** Whether somebody asked for the gradient, which is else given back once it was passed on. */
  boolean kept;

  /** F32 [elements of the memory], with an owner of its own; null while nothing was added. */
  Tensor gradient;

  Tracked(Tensor some) {
    Operand operand = some.operand();
    this.device = some.device();
    this.elements = operand.buffer().byteSize() / operand.dtype().bytes();
  }

  static boolean isFloat(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
  }

  /** The part of the gradient that belongs to a view of the memory. */
  static Tensor part(Tensor gradient, Operand view) {
    return gradient.strided(view.offset(), view.shape(), view.strides());
  }

  /**
   * Adds to the gradient of a part.
   *
   * @param part of the memory
   * @param more F32 of its shape
   * @param adopt whether the memory of {@code more} may become the gradient's
   */
  void add(Operand part, Tensor more, boolean adopt) {
    if (gradient != null) {
      Operand sum = part(gradient, part).operand();
      device.kernels().run(new Elementwise(sum, more.operand(), BinaryOp.ADD, sum));
      Reference.reachabilityFence(more);
      return;
    }
    boolean whole = part.isContiguous() && part.count() == elements;
    if (adopt && whole && more.operand().isContiguous()) {
      try (Tensor shared = more.share()) {
        gradient = shared.reshape(elements).share();
      }
      return;
    }
    try (Tensor made =
        whole
            ? Tensor.empty(device, DType.F32, elements)
            : Tensor.zeros(device, DType.F32, elements)) {
      device.kernels().run(new Copy(more.operand(), part(made, part).operand()));
      Reference.reachabilityFence(more);
      gradient = made.share();
    }
  }

  /** Gives the gradient to who asks, who owns it from then on. */
  Tensor release() {
    Tensor released = gradient;
    gradient = null;
    return released;
  }

  void free() {
    if (gradient != null) {
      gradient.close();
      gradient = null;
    }
  }
}
