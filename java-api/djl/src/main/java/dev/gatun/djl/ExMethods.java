package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.internal.NDArrayEx;

/** What the families of an array's inner methods share. */
interface ExMethods extends NDArrayEx {
  /** The array that they are of. */
  default GatunNDArray x() {
    return (GatunNDArray) getArray();
  }

  /** Another engine's array as one of ours; null for null. */
  default GatunNDArray own(NDArray other) {
    return x().getManager().from(other);
  }
}
