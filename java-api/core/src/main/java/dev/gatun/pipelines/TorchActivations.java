package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.models.Config;

/** Activation functions by the names of PyTorch's classes, as sentence-transformers keeps them. */
final class TorchActivations {
  private TorchActivations() {}

  /**
   * The function that a key names.
   *
   * @throws IllegalArgumentException for one that is not known
   */
  static Activation of(Config config, String key, Activation otherwise) {
    String name = config.text(key, null);
    return switch (name == null ? "" : lastOf(name)) {
      case "" -> otherwise;
      case "Identity" -> Activation.NONE;
      case "Tanh" -> Activation.TANH;
      case "Sigmoid" -> Activation.SIGMOID;
      case "ReLU" -> Activation.RELU;
      case "GELU" -> Activation.GELU;
      case "SiLU" -> Activation.SILU;
      default ->
          throw config.wrong(
              key,
              "one of torch.nn.modules' linear.Identity, activation.Tanh, activation.Sigmoid,"
                  + " activation.ReLU, activation.GELU and activation.SiLU");
    };
  }

  /** The class of a name in PyTorch's modules; the name itself of another one. */
  static String lastOf(String name) {
    return name.startsWith("torch.nn.") ? name.substring(name.lastIndexOf('.') + 1) : name;
  }
}
