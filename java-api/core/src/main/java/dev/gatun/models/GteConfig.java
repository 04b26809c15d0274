package dev.gatun.models;

import java.util.HashMap;
import java.util.Map;

/**
 * GTE's configuration as its first checkpoints have it, of a {@code model_type} "new", with
 * switches of blocks that no checkpoint uses; those are refused by name.
 */
final class GteConfig {
  private GteConfig() {}

  /** The configuration with what its class gives keys that are missing. */
  static Config of(Config given) {
    given.require("position_embedding_type", "rope");
    given.require("layer_norm_type", "layer_norm");
    given.require("pack_qkv", true, "queries, keys and values are read from one layer");
    given.require("logn_attention_scale", false, "scores do not depend on a text's length");
    // Limits the scale above; the others say how it is computed.
    given.withoutEffect("logn_attention_clip1", "unpad_inputs", "use_memory_efficient_attention");
    return given.text("model_type", "gte").equals("new")
        ? given.withDefault("rope_theta", 10000.0).withDefault("max_position_embeddings", 2048)
        : given.withDefault("rope_theta", 160000.0);
  }

  /**
   * The rotary settings. "ntk" has a base so many times larger and frequencies that are all divided
   * by {@code factor^(2 / size)}, for texts of all lengths: what "linear" does with other numbers.
   *
   * @param size of a head
   */
  static Map<String, Object> rotary(Config config, int size) {
    Map<String, Object> settings = RotarySettings.of(config);
    if (!"ntk".equals(settings.getOrDefault("rope_type", settings.get("type")))) {
      return settings;
    }
    if (settings.remove("mixed_b") != null) {
      throw config.error("'mixed_b' of the rotary settings is not null, expected none");
    }
    double theta = number(config, settings, "rope_theta");
    double factor = number(config, settings, "factor");
    Map<String, Object> linear = new HashMap<>(settings);
    linear.remove("type");
    linear.put("rope_type", "linear");
    linear.put("rope_theta", theta * factor);
    linear.put("factor", Math.pow(factor, 2.0 / size));
    return linear;
  }

  private static double number(Config config, Map<String, Object> settings, String key) {
    if (settings.get(key) instanceof Number number && number.doubleValue() >= 1) {
      return number.doubleValue();
    }
    throw config.error(
        "'%s' of the rotary settings is %s, expected a number from 1"
            .formatted(key, settings.get(key)));
  }
}
