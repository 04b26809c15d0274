package dev.gatun.models;

import java.util.List;

/** How many tokens a layer's attention sees, by the keys that {@code config.json} has for it. */
final class SlidingWindow {
  private SlidingWindow() {}

  /** The longest window of some layers; 0 where one of them has none. */
  static long ofAll(Config config, String type, int layers) {
    long longest = 0;
    for (int layer = 0; layer < layers; layer++) {
      long window = of(config, type, layer);
      if (window == 0) {
        return 0;
      }
      longest = Math.max(longest, window);
    }
    return longest;
  }

  /**
   * Refuses layers with a window where no window is given. transformers builds such a model and
   * fails when it runs; files of its Qwen 2 MoE name layers with a window that are not to have one.
   */
  private static void requireNoneNamed(Config config, String type, boolean off) {
    if (!type.endsWith("_moe") && config.texts("layer_types").contains("sliding_attention")) {
      throw config.wrong(
          "layer_types",
          off
              ? "full_attention alone, as 'use_sliding_window' is not true"
              : "full_attention alone, as 'sliding_window' is null");
    }
  }

  /** Refuses full attention in layers of families whose layers all have the window there is. */
  private static void requireOneKind(Config config, String type) {
    if (List.of("mixtral", "phi3", "qwen3_moe", "starcoder2").contains(type)
        && config.texts("layer_types").contains("full_attention")) {
      throw config.wrong(
          "layer_types", "sliding_attention alone: one 'sliding_window' is of all layers");
    }
  }

  private static int whereNothingIsSaid(String type) {
    return switch (type) {
      case "gpt_oss" -> 128;
      case "mistral", "gemma2", "gemma3_text", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe" -> 4096;
      default -> 0;
    };
  }

  /**
   * How many tokens a token sees back, itself included, of a window of so many; and as many ahead
   * where it sees both ways: Gemma 3's halves the window then, {@code is_causal} has it on each
   * side.
   */
  private static int reach(Config config, String type, int window) {
    boolean halved =
        type.equals("gemma3_text") && config.flag("use_bidirectional_attention", false);
    int reach = halved ? window / 2 + 1 : window;
    return config.flag("is_causal", true) ? reach : Math.addExact(reach, 1);
  }

  /**
   * The window of a layer; 0 for none.
   *
   * @param type the {@code model_type}, for what holds where there are no {@code layer_types}
   */
  static long of(Config config, String type, int layer) {
    boolean off = !config.flag("use_sliding_window", !type.startsWith("qwen"));
    if (type.equals("llama")) {
      return 0;
    }
    config.withoutEffect(
        "layer_types", "max_window_layers", "sliding_window_pattern", "_sliding_window_pattern");
    boolean alternating = type.equals("gpt_oss");
    // Null is none, a key that is missing what transformers' class has.
    int missing = config.isMissing("sliding_window") ? whereNothingIsSaid(type) : 0;
    if (!config.has("sliding_window") && missing == 0 || off) {
      requireNoneNamed(config, type, off);
      return 0;
    }
    int window = reach(config, type, config.positive("sliding_window", missing));
    if (config.has("layer_types")) {
      requireOneKind(config, type);
      List<String> types = config.texts("layer_types");
      if (layer >= types.size()) {
        throw config.wrong("layer_types", "one for each layer");
      }
      return switch (types.get(layer)) {
        case "full_attention" -> 0;
        case "sliding_attention" -> window;
        default -> throw config.wrong("layer_types", "full_attention or sliding_attention");
      };
    }
    if (type.equals("gemma3_text")) {
      return (layer + 1) % config.positive("sliding_window_pattern", 6) == 0 ? 0 : window;
    }
    if (type.equals("gemma2") || alternating) {
      return layer % 2 == 0 ? window : 0;
    }
    if (type.equals("qwen3_moe")) {
      return window;
    }
    if (type.equals("qwen2_moe")) {
      return layer % 2 == 0 && layer < config.integer("max_window_layers", 28) ? window : 0;
    }
    return type.startsWith("qwen") && layer < config.integer("max_window_layers", 28) ? 0 : window;
  }
}
