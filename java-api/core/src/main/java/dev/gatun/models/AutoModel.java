package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.WeightType;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Loads a Hugging Face model directory as it is: {@code config.json} decides what is built.
 *
 * <p>Weights are F32, BF16, F16 or F64. Linear layers may also be quantised, as a {@code
 * quantization_config} of {@code config.json} says: {@link dev.gatun.weights.GptqMethod GPTQ} of 4
 * and 8 bits ({@code checkpoint_format} {@code gptq} and {@code gptq_v2}, with {@code desc_act} or
 * without) and {@link dev.gatun.weights.AwqMethod AWQ} of 4 bits ({@code version} {@code gemm}), in
 * groups of any multiple of 32 or of a whole row. Their codes, scales and zero points are kept as
 * they are, whatever weight type is asked for: it is that of the other layers, and its activations,
 * if it has any, are those of all.
 */
public final class AutoModel {
  private interface Family {
    EncoderModel build(Config config, Head head, Weights weights);
  }

  private static final Map<String, Family> FAMILIES =
      new TreeMap<>(
          Map.of(
              "bert", Bert::new,
              "roberta", Roberta::new,
              "xlm-roberta", Roberta::new,
              "camembert", Roberta::new,
              "distilbert", DistilBert::new,
              "electra", Electra::new,
              "deberta", Deberta::new,
              "deberta-v2", DebertaV2::new));

  private AutoModel() {}

  /**
   * Loads a model with the head that its {@code architectures} name, on the processor. Weights of
   * other heads may be in the file, see {@link EncoderModel#unusedWeights}; other weights may not.
   *
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when the configuration or the weights are not as expected; a
   *     {@link dev.gatun.weights.WeightsException} when their file is damaged, or lacks some
   */
  public static EncoderModel load(Path directory) throws IOException {
    return load(directory, WeightType.F32);
  }

  /**
   * Loads a model with the head that its {@code architectures} name, on the processor; fails as
   * {@link #load(Path)} does.
   *
   * @param dtype what the weights of linear layers are kept and multiplied as: F32, BF16, F16, or
   *     I8 with dynamic activations, {@link WeightType#INT8}
   */
  public static EncoderModel load(Path directory, DType dtype) throws IOException {
    return load(directory, WeightType.of(dtype));
  }

  /** The same with weights of any type. */
  public static EncoderModel load(Path directory, WeightType type) throws IOException {
    return load(directory, Device.cpu(), type);
  }

  /**
   * Loads a model with the head that its {@code architectures} name, on a device; fails as {@link
   * #load(Path)} does.
   */
  public static EncoderModel load(Path directory, Device device, WeightType type)
      throws IOException {
    Config config = Config.read(directory);
    Family family = family(config);
    return load(directory, config, family, Head.of(config), device, type);
  }

  /** Loads a model with this head, on a device; fails as {@link #load(Path)} does. */
  public static EncoderModel load(Path directory, Head head, Device device, WeightType type)
      throws IOException {
    Config config = Config.read(directory);
    return load(directory, config, family(config), head, device, type);
  }

  private static Family family(Config config) {
    String type = config.text("model_type", null);
    Family family = type == null ? null : FAMILIES.get(type);
    if (family == null) {
      throw config.error(
          "'model_type' is %s, expected one of %s"
              .formatted(type, String.join(", ", FAMILIES.keySet())));
    }
    return family;
  }

  private static EncoderModel load(
      Path directory, Config config, Family family, Head head, Device device, WeightType type)
      throws IOException {
    try (TensorFile file = TensorFile.open(directory)) {
      Weights weights =
          new Weights(file, directory.toString(), device, type, QuantizationConfig.of(config));
      try {
        return family.build(config, head, weights);
      } catch (RuntimeException | Error e) {
        weights.closeAll();
        throw e;
      }
    }
  }
}
