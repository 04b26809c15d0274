package dev.gatun.djl;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.Head;
import dev.gatun.tensor.Device;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code Criteria.optOption}, or {@code option.} of {@code serving.properties}, may say of how
 * a model is loaded. Names are the same with and without capitals and underscores. What asks for
 * something that the engine does not do is refused; other names are passed by, and said.
 *
 * @param storage {@code dtype}: what the weights of linear layers are kept as, {@code fp32}, {@code
 *     fp16}, {@code bf16}, or a format of blocks such as {@code int8} and {@code Q8_0}
 * @param device {@code device}: {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param head {@code head}: what is computed of the last hidden states, such as {@code base}, where
 *     it is not what {@code architectures} say
 * @param maxLength {@code maxLength}: the most tokens of a sequence, those that are written
 *     included
 * @param batchSize {@code batchSize}: the most sequences that are computed together
 * @param trainParam {@code trainParam}: whether the weights are parameters that a program may
 *     change
 * @param dropout {@code dropout}: whether a model is trained with the dropout of its configuration
 */
record ModelOptions(
    Storage storage,
    Device device,
    Optional<Head> head,
    int maxLength,
    int batchSize,
    boolean trainParam,
    boolean dropout) {
  private static final System.Logger LOGGER = System.getLogger("dev.gatun.djl");

  private static final Map<String, String> OTHER_NAMES =
      Map.of(
          "maxmodellen", "maxlength",
          "maxrollingbatchsize", "batchsize",
          "maxbatchsize", "batchsize");

  private static final Set<String> READ =
      Set.of("dtype", "device", "head", "maxlength", "batchsize", "trainparam", "dropout");

  /** Of DJL itself, or without a meaning where nothing is a TorchScript module. */
  private static final Set<String> PASSED_BY =
      Set.of(
          "modelname", "epoch", "hasparameter", "maplocation", "extrafiles", "modelid", "engine");

  private static final Map<String, String> REFUSED =
      Map.of(
          "quantize", "expected dtype to name a format of blocks, such as Q8_0",
          "tensorparalleldegree", "a model is on one device",
          "pipelineparalleldegree", "a model is on one device",
          "trustremotecode", "no code of a model is run");

  static ModelOptions of(Map<String, ?> options) {
    Map<String, String> read = new HashMap<>();
    if (options != null) {
      options.forEach((name, value) -> take(read, name, value == null ? "" : value.toString()));
    }
    return new ModelOptions(
        storage(read.getOrDefault("dtype", "fp32")),
        Device.of(read.getOrDefault("device", "cpu")),
        Optional.ofNullable(read.get("head")).map(ModelOptions::head),
        number(read, "maxlength", "maxLength"),
        number(read, "batchsize", "batchSize"),
        flag("trainParam", read.getOrDefault("trainparam", "false")),
        flag("dropout", read.getOrDefault("dropout", "true")));
  }

  private static void take(Map<String, String> read, String name, String value) {
    String plain = name.toLowerCase(Locale.ROOT).replace("_", "");
    String key = OTHER_NAMES.getOrDefault(plain, plain);
    String text = value.strip();
    if (READ.contains(key)) {
      String other = read.put(key, text);
      if (other != null && !other.equals(text)) {
        throw new IllegalArgumentException(
            "option %s is %s, and %s by another of its names: expected one of them"
                .formatted(name, text, other));
      }
    } else if (REFUSED.containsKey(key)) {
      boolean harmless = Set.of("", "1", "false").contains(text.toLowerCase(Locale.ROOT));
      if (!harmless) {
        throw new IllegalArgumentException(
            "option %s is %s: %s".formatted(name, text, REFUSED.get(key)));
      }
    } else if (!PASSED_BY.contains(key)) {
      LOGGER.log(
          System.Logger.Level.WARNING,
          "option {0} is not known and has no effect; known are dtype, device, head, maxLength,"
              + " batchSize, trainParam and dropout",
          name);
    }
  }

  private static int number(Map<String, String> read, String key, String name) {
    String text = read.get(key);
    if (text == null) {
      return Integer.MAX_VALUE;
    }
    try {
      int value = Integer.parseInt(text);
      if (value > 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "option %s is %s, expected a number from 1".formatted(name, text), e);
    }
    throw new IllegalArgumentException(
        "option %s is %s, expected a number from 1".formatted(name, text));
  }

  private static boolean flag(String name, String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(
              "option %s is %s, expected true or false".formatted(name, text));
    };
  }

  private static Storage storage(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "fp32", "float32", "f32" -> Storage.F32;
      case "fp16", "float16", "f16" -> Storage.of(DType.F16);
      case "bf16", "bfloat16" -> Storage.BF16;
      case "int8" -> Storage.INT8;
      default -> {
        try {
          yield Storage.of(BlockFormat.of(name.toUpperCase(Locale.ROOT)));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "option dtype is %s, expected fp32, fp16, bf16, or a format of blocks: %s"
                  .formatted(name, e.getMessage()),
              e);
        }
      }
    };
  }

  private static Head head(String name) {
    String wanted = name.toUpperCase(Locale.ROOT).replace('-', '_');
    return Arrays.stream(Head.values())
        .filter(head -> head.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "option head is %s, expected one of %s"
                        .formatted(name, Arrays.toString(Head.values()))));
  }
}
