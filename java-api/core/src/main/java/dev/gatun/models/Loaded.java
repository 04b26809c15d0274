package dev.gatun.models;

import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.weights.ParameterLoader;
import java.io.IOException;
import java.nio.file.Path;
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
  private final List<Parameter> parameters;
  private final List<ParameterLoader.Constant> constants;
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
    this.parameters =
        weights.loader() instanceof ParameterLoader loader ? loader.parameters() : List.of();
    this.constants =
        weights.loader() instanceof ParameterLoader loader ? loader.constants() : List.of();
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

  List<Parameter> parameters() {
    return parameters;
  }

  /** Writes a Hugging Face directory. */
  void save(Path directory, String architecture) throws IOException {
    check();
    ModelWriter.save(directory, config, architecture, parameters, constants);
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
