package dev.gatun.weights;

/** Sizes that cannot overflow unnoticed: for readers of formats. */
public final class Shapes {
  private Shapes() {}

  /**
   * {@return the bytes of a tensor, or -1 if an axis is negative, if the size overflows, or if the
   * bits do not fill whole bytes}
   *
   * @param shape its axes; empty for a scalar
   * @param bits of an element, from 1
   */
  public static long bytes(long[] shape, long bits) {
    long elements = 1;
    boolean empty = false;
    for (long axis : shape) {
      if (axis < 0) {
        return -1;
      }
      empty |= axis == 0;
    }
    if (empty) {
      return 0;
    }
    for (long axis : shape) {
      if (Math.multiplyHigh(elements, axis) != 0 || elements * axis < 0) {
        return -1;
      }
      elements *= axis;
    }
    if (elements > Long.MAX_VALUE / bits || elements * bits % 8 != 0) {
      return -1;
    }
    return elements * bits / 8;
  }
}
