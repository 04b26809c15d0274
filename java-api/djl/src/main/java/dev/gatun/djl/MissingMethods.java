package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import dev.gatun.djl.host.Refusal;

/** Methods that the engine does not have yet. */
interface MissingMethods extends ArrayMethods {
  @Override
  default NDArray fft(long length, long axis) {
    throw Refusal.unsupported("fft");
  }

  @Override
  default NDArray ifft(long length, long axis) {
    throw Refusal.unsupported("ifft");
  }

  @Override
  default NDArray rfft(long length, long axis) {
    throw Refusal.unsupported("rfft");
  }

  @Override
  default NDArray irfft(long length, long axis) {
    throw Refusal.unsupported("irfft");
  }

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

  @Override
  default NDArray fft2(long[] sizes, long[] axes) {
    throw Refusal.unsupported("fft2");
  }

  @Override
  default NDArray ifft2(long[] sizes, long[] axes) {
    throw Refusal.unsupported("ifft2");
  }

  @Override
  default NDArray complex() {
    throw Refusal.unsupported("complex");
  }

  @Override
  default NDArray real() {
    throw Refusal.unsupported("real");
  }

  @Override
  default NDArray conj() {
    throw Refusal.unsupported("conj");
  }
}
