package dev.gatun.models;

import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.nn.RotaryScaling;
import dev.gatun.nn.RotaryTables;
import dev.gatun.tensor.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The rotary settings of {@code config.json}, under the keys of all versions of Hugging Face's
 * library: {@code rope_parameters}, or {@code rope_scaling} and keys beside it.
 */
final class RopeConfig {
  private static final List<String> BESIDE =
      List.of("rope_theta", "partial_rotary_factor", "original_max_position_embeddings");

  private RopeConfig() {}

  /** The settings by their names in {@code rope_parameters}. */
  static Map<String, Object> parameters(Config config) {
    Map<String, Object> all = new LinkedHashMap<>();
    merge(config, all, config.map("rope_scaling"));
    merge(config, all, config.map("rope_parameters"));
    for (String key : BESIDE) {
      if (config.has(key)) {
        merge(config, all, Map.of(key, config.value(key)));
      }
    }
    return all;
  }

  private static void merge(Config config, Map<String, Object> all, Map<String, Object> some) {
    some.forEach(
        (key, value) -> {
          Object before = value == null ? null : all.put(key, value);
          if (before != null && !same(before, value)) {
            throw config.error(
                "'%s' of the rotary settings is %s and %s in two places"
                    .formatted(key, before, value));
          }
        });
  }

  private static boolean same(Object a, Object b) {
    return a instanceof Number x && b instanceof Number y
        ? x.doubleValue() == y.doubleValue()
        : Objects.equals(a, b);
  }

  /**
   * The most tokens of a sequence. LongRoPE turns all tokens of a sequence another way once it is
   * longer than the original length, those in a cache too; sequences end before that.
   *
   * @param parameters by their names in {@code rope_parameters}
   * @param maxPositions the model's {@code max_position_embeddings}
   */
  static int longest(Map<String, Object> parameters, int maxPositions) {
    Object type = parameters.getOrDefault("rope_type", parameters.get("type"));
    return "longrope".equals(type)
            && parameters.get("original_max_position_embeddings") instanceof Number original
        ? Math.clamp(original.longValue(), 1, maxPositions)
        : maxPositions;
  }

  /**
   * The tables for all positions of a model, {@link #longest}.
   *
   * @param parameters by their names in {@code rope_parameters}
   * @param maxPositions the model's {@code max_position_embeddings}
   */
  static RotaryPositionalEmbedding tables(
      Config config,
      Map<String, Object> parameters,
      Device device,
      int headSize,
      int maxPositions,
      boolean interleaved) {
    try {
      RotaryScaling scaling = RotaryScaling.of(parameters, maxPositions);
      return new RotaryPositionalEmbedding(
          device,
          RotaryTables.of(scaling, headSize, longest(parameters, maxPositions)),
          interleaved);
    } catch (IllegalArgumentException e) {
      throw config.error(e.getMessage());
    }
  }
}
