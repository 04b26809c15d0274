package dev.gatun.models;

import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A model with its weights on a device, as a directory's {@code config.json} names it. */
public sealed interface Model extends AutoCloseable permits EncoderModel, LanguageModel {
  /** {@return what config.json says of it} */
  Config config();

  /** {@return the device that its weights are on} */
  Device device();

  /**
   * {@return the tensors of the file that this model does not compute with, such as those of the
   * head that it was trained with; empty when all are in use}
   */
  List<String> unusedWeights();

  /** {@return the tensors of the file that are weights of linear layers, but for ones in codes} */
  List<String> linearWeights();

  /**
   * {@return the weights of linear layers whose rows in the file are the layer's output features,
   * which {@link dev.gatun.weights.BlocksMethod} can have in blocks}
   */
  List<String> rowWeights();

  /**
   * {@return the weights under Hugging Face's names, in the order of the model; none where it was
   * not made for training} One that is used in several places is there once.
   */
  List<Parameter> parameters();

  /**
   * Writes the model as a Hugging Face directory: its configuration, its weights as F32 under the
   * names that they came with, tied ones once, and the tokenizer's files that lie beside the
   * configuration. Files of these names that are there are replaced, the weights last and at once.
   *
   * @param directory made where it is not there
   * @throws IllegalStateException for a model that was not made for training
   * @throws IOException when a file cannot be written; the weights that were there still are then
   */
  void save(Path directory) throws IOException;

  @Override
  void close();
}
