package dev.gatun.models;

import dev.gatun.files.Warnings;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.nn.RotaryScaling;
import dev.gatun.nn.RotaryTables;
import dev.gatun.tensor.Device;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The rotary settings of encoders' configurations. */
final class RotarySettings {
  private RotarySettings() {}

  /**
   * What {@code rope_parameters}, or before them {@code rope_scaling} and {@code rope_theta}, say.
   *
   * @param size of a head
   * @param length the most tokens of a sequence
   */
  static RotaryPositionalEmbedding embedding(Device device, Config config, int size, int length) {
    return embedding(device, config, of(config), size, length);
  }

  /** The settings by their names in {@code rope_parameters}, with a base at least. */
  static Map<String, Object> of(Config config) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("rope_theta", config.decimal("rope_theta"));
    settings.putAll(config.map("rope_scaling"));
    settings.putAll(config.map("rope_parameters"));
    return settings;
  }

  /** What settings under their own names say. */
  static RotaryPositionalEmbedding embedding(
      Device device, Config config, Map<String, ?> given, int size, int length) {
    Map<String, ?> settings = given;
    Object type =
        settings.get("rope_type") != null ? settings.get("rope_type") : settings.get("type");
    if (type != null && List.of("dynamic", "longrope").contains(type)) {
      throw config.error(
          ("'rope_type' is \"%s\", expected one whose frequencies do not depend on the length of a"
                  + " sequence: sequences of all lengths are in one batch")
              .formatted(type));
    }
    if (type == null || type.equals("default")) {
      // The plain frequencies of these families are of whole heads in transformers.
      Map<String, Object> whole = new HashMap<>(settings);
      if (whole.remove("partial_rotary_factor") instanceof Number part && part.doubleValue() != 1) {
        Warnings.ignored(
            "%s: 'partial_rotary_factor' has no effect without a scaling".formatted(config.file()));
      }
      settings = whole;
    }
    try {
      RotaryScaling scaling = RotaryScaling.of(settings, length);
      RopeConfig.warnOfUnread(config, scaling);
      return new RotaryPositionalEmbedding(device, RotaryTables.of(scaling, size, length));
    } catch (IllegalArgumentException e) {
      throw config.error(e.getMessage());
    }
  }
}
