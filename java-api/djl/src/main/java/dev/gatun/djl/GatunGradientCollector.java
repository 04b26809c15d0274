package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.training.GradientCollector;

/** Records what its thread computes, until it is closed. Each thread has one at a time. */
final class GatunGradientCollector implements GradientCollector {
  private final Tape tape = Tape.begin();

  @Override
  public void backward(NDArray target) {
    tape.backward((GatunNDArray) target);
  }

  @Override
  public void zeroGradients() {
    tape.zeroGradients();
  }

  @Override
  public void close() {
    tape.close();
  }
}
