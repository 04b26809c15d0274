package dev.gatun.models;

import dev.gatun.tensor.Device;
import java.util.List;
import java.util.function.Predicate;

/** What every model keeps of the weights that it was made of, until it is closed. */
final class Loaded {
  private final Config config;
  private final Device device;
  private final List<String> unusedWeights;
  private final List<String> linearWeights;
  private final List<String> rowWeights;
  private final List<AutoCloseable> parts;
  private volatile boolean closed;

  /**
   * @param weights all that the model takes was taken of; what they own is this one's from now on
   * @param isOtherHead whether a weight's name is one that nobody misses
   */
  Loaded(Config config, Weights weights, Predicate<String> isOtherHead) {
    this.config = config;
    this.device = weights.device();
    this.unusedWeights = weights.unused(isOtherHead);
    this.linearWeights = weights.loader().linearWeights();
    this.rowWeights = weights.loader().rowWeights();
    this.parts = weights.loader().handOver();
  }

  Config config() {
    return config;
  }

  Device device() {
    return device;
  }

  List<String> unusedWeights() {
    return unusedWeights;
  }

  List<String> linearWeights() {
    return linearWeights;
  }

  List<String> rowWeights() {
    return rowWeights;
  }

  /** Requires the model to be open. */
  void check() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /** Closes the parts, all of them also where one fails. */
  void close() {
    closed = true;
    IllegalStateException failure = null;
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("cannot close a part of the model", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
