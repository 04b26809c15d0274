package dev.gatun.djl;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.Head;
import dev.gatun.tensor.Device;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code Criteria.optOption}, or {@code option.} of {@code serving.properties}, may say of how
 * a model is loaded.
 *
 * @param storage {@code dtype}: what the weights of linear layers are kept as, {@code fp32}, {@code
 *     fp16}, {@code bf16}, or a format of blocks such as {@code int8} and {@code Q8_0}
 * @param device {@code device}: {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param head {@code head}: what is computed of the last hidden states, such as {@code base}, where
 *     it is not what {@code architectures} say
 */
record ModelOptions(Storage storage, Device device, Optional<Head> head) {
  static ModelOptions of(Map<String, ?> options) {
    return new ModelOptions(
        storage(text(options, "dtype", "fp32")),
        Device.of(text(options, "device", "cpu")),
        Optional.ofNullable(text(options, "head", null)).map(ModelOptions::head));
  }

  private static String text(Map<String, ?> options, String key, String otherwise) {
    Object value = options == null ? null : options.get(key);
    return value == null ? otherwise : value.toString().strip();
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
