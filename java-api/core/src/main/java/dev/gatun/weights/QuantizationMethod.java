package dev.gatun.weights;

import java.util.List;
import java.util.stream.Stream;

/** How the linear layers of a checkpoint are quantised: Hugging Face's {@code quant_method}. */
public sealed interface QuantizationMethod
    permits GptqMethod, AwqMethod, BlocksMethod, Mxfp4Method {
  /**
   * {@return the weight of a linear layer, whose codes stay in the file until they are read}
   *
   * @param file with the layer's tensors
   * @param module the layer's name
   * @param outFeatures of the layer
   * @param inFeatures of the layer
   * @throws WeightsException when a tensor is missing, has another type or shape, or numbers that
   *     mean nothing; the message names the file and the tensor
   */
  StoredWeight read(TensorFile file, String module, long outFeatures, long inFeatures);

  /**
   * {@return the names of the tensors that a module's weight is made of, those that the file has}
   * None where the module is not quantised.
   *
   * @param file with the module's tensors
   * @param module the layer's name
   */
  default List<String> tensors(TensorFile file, String module) {
    return Stream.of("qweight", "qzeros", "scales", "g_idx")
        .map(part -> module + "." + part)
        .filter(file.names()::contains)
        .toList();
  }
}
