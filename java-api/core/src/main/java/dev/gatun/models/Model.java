package dev.gatun.models;

import dev.gatun.tensor.Device;
import java.util.List;

/** A model with its weights on a device, as a directory's {@code config.json} names it. */
public sealed interface Model extends AutoCloseable permits EncoderModel, LanguageModel {
  /** {@return what config.json says of it} */
  Config config();

  /** {@return the device that its weights are on} */
  Device device();

  /**
   * The tensors of the file that this model does not compute with, such as those of the head that
   * it was trained with; empty when all are in use.
   */
  List<String> unusedWeights();

  /** The tensors of the file that are weights of linear layers, but for ones in codes. */
  List<String> linearWeights();

  /**
   * The weights of linear layers whose rows in the file are the layer's output features, which
   * {@link dev.gatun.weights.BlocksMethod} can have in blocks.
   */
  List<String> rowWeights();

  @Override
  void close();
}
