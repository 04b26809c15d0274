package dev.gatun.djl;

import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import dev.gatun.djl.host.Strided;
import dev.gatun.models.Model;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The weights of a model as DJL's parameters, under the names of Hugging Face's files. */
final class BlockParameters {
  private BlockParameters() {}

  /** Those of a model for inference, as its files have them. */
  static ParameterList ofFile(GatunNDManager manager, Path files, Model model) throws IOException {
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    Set<String> unused = new HashSet<>(model.unusedWeights());
    try (TensorFile file = TensorFile.open(files)) {
      for (String name : file.names()) {
        if (!unused.contains(name)) {
          WeightArray array = new WeightArray(manager, files, name, file.info(name));
          parameters.put(
              name,
              Parameter.builder()
                  .setName(name)
                  .setType(type(name))
                  .optArray(array)
                  .optShape(array.getShape())
                  .optRequiresGrad(false)
                  .build());
        }
      }
    }
    return new ParameterList(parameters);
  }

  /** Those of a model to train: arrays over the memory that it computes with. */
  static ParameterList ofModel(GatunNDManager manager, Model model) {
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    for (dev.gatun.nn.Parameter own : model.parameters()) {
      GatunNDArray array = manager.make(Strided.of(own.tensor().share(), DataType.FLOAT32));
      array.setName(own.name());
      parameters.put(
          own.name(),
          Parameter.builder()
              .setName(own.name())
              .setType(type(own.name()))
              .optArray(array)
              .optShape(array.getShape())
              .build());
    }
    return new ParameterList(parameters);
  }

  private static Parameter.Type type(String name) {
    String last = name.substring(name.lastIndexOf('.') + 1);
    boolean norm = name.toLowerCase(java.util.Locale.ROOT).matches(".*(norm|ln_?[0-9f]*)\\.[a-z]+");
    return switch (last) {
      case "bias" -> norm ? Parameter.Type.BETA : Parameter.Type.BIAS;
      case "weight" -> norm ? Parameter.Type.GAMMA : Parameter.Type.WEIGHT;
      case "gamma" -> Parameter.Type.GAMMA;
      case "beta" -> Parameter.Type.BETA;
      default -> Parameter.Type.OTHER;
    };
  }
}
