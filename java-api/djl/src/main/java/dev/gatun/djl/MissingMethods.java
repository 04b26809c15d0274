package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import dev.gatun.djl.host.Refusal;

/** Methods that the engine does not have yet. */
interface MissingMethods extends ArrayMethods {
  @Override
  default NDArray stft(
      long nFft,
      long hopLength,
      boolean center,
      NDArray window,
      boolean normalize,
      boolean returnComplex) {
    throw Refusal.unsupported("stft");
  }
}
