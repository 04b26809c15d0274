package dev.gatun.models;

import dev.gatun.files.Warnings;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.nn.RotaryScaling;
import dev.gatun.nn.RotaryTables;
import dev.gatun.tensor.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

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

  /**
   * The same of Phi-3, whose one scaling is LongRoPE, called su or yarn in files before it had the
   * name, for an original length of 4096 where nothing is said.
   */
  static Map<String, Object> ofPhi3(Config config) {
    Map<String, Object> all = parameters(config);
    Object type = all.getOrDefault("rope_type", all.get("type"));
    if ("su".equals(type) || "yarn".equals(type)) {
      all.put("rope_type", "longrope");
    }
    all.putIfAbsent("original_max_position_embeddings", 4096);
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
   * The tokens beyond which all tokens of a sequence turn another way, as LongRoPE has it; 0 for
   * one way.
   *
   * @param parameters by their names in {@code rope_parameters}
   * @param maxPositions the model's {@code max_position_embeddings}
   */
  static int switchLength(Map<String, Object> parameters, int maxPositions) {
    Object type = parameters.getOrDefault("rope_type", parameters.get("type"));
    return "longrope".equals(type)
            && parameters.get("original_max_position_embeddings") instanceof Number original
            && original.longValue() > 0
            && original.longValue() < maxPositions
        ? original.intValue()
        : 0;
  }

  /**
   * Each packed token's row in {@link #tables}.
   *
   * @param switchLength 0 for tables of one way
   */
  static long[] positions(BatchLayout layout, int switchLength) {
    long[] rows = layout.running();
    if (switchLength == 0) {
      return rows;
    }
    rows = rows.clone();
    for (int i = 0; i < rows.length; i++) {
      rows[i] += layout.isLong(layout.sequence()[i], switchLength) ? switchLength : 0;
    }
    return rows;
  }

  /**
   * Names settings that the type of scaling does not read, but for what a model was trained for.
   */
  static void warnOfUnread(Config config, RotaryScaling scaling) {
    Set<String> unread = new TreeSet<>(scaling.unreadKeys());
    unread.removeAll(List.of("original_max_position_embeddings", "type", "rope_type"));
    if (!unread.isEmpty()) {
      Warnings.ignored(
          "%s: rotary settings of this type do not have '%s', which has no effect"
              .formatted(config.file(), String.join("', '", unread)));
    }
  }

  /**
   * The tables for all positions of a model. Where it has a {@link #switchLength}, those of
   * sequences up to it come first, then those of longer ones.
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
    int first = switchLength(parameters, maxPositions);
    return tables(config, parameters, device, headSize, maxPositions, first, interleaved);
  }

  /**
   * The same where another layer's settings may be what has the {@link #switchLength}.
   *
   * @param first the rows of sequences up to it; 0 for tables of one way
   */
  static RotaryPositionalEmbedding tables(
      Config config,
      Map<String, Object> parameters,
      Device device,
      int headSize,
      int maxPositions,
      int first,
      boolean interleaved) {
    try {
      RotaryScaling scaling = RotaryScaling.of(parameters, maxPositions);
      warnOfUnread(config, scaling);
      requireRoom(config, device, (long) first + maxPositions, headSize);
      RotaryTables whole = RotaryTables.of(scaling, headSize, maxPositions);
      return first == 0
          ? new RotaryPositionalEmbedding(device, whole, interleaved)
          : RotaryPositionalEmbedding.of(
              device, RotaryTables.of(scaling, headSize, first), whole, interleaved);
    } catch (IllegalArgumentException e) {
      throw config.error(e.getMessage());
    }
  }

  private static void requireRoom(Config config, Device device, long positions, int headSize) {
    long most = device.memory().freeBytes();
    double bytes = (double) positions * headSize * Float.BYTES;
    if (bytes > most) {
      throw config.error(
          "rotary tables of %d positions take %.0f bytes, expected at most the %d that %s has free: is the model's length right?"
              .formatted(positions, bytes, most, device.name()));
    }
  }
}
