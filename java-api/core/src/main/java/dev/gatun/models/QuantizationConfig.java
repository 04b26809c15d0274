package dev.gatun.models;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.weights.AwqMethod;
import dev.gatun.weights.BlocksMethod;
import dev.gatun.weights.GptqMethod;
import dev.gatun.weights.Mxfp4Method;
import dev.gatun.weights.QuantizationMethod;

/** The {@code quantization_config} of {@code config.json}. */
final class QuantizationConfig {
  private static final String KEY = "quantization_config";

  private QuantizationConfig() {}

  /**
   * How the checkpoint's linear layers are quantised; null where they are not. Layers whose plain
   * weight is in the file stay dense, whatever {@code modules_to_not_convert} says.
   */
  static QuantizationMethod of(Config model) {
    if (!model.has(KEY)) {
      return null;
    }
    Config config = model.object(KEY);
    String method = config.text("quant_method", null);
    return switch (method) {
      case "gptq" -> gptq(config);
      case "awq" -> awq(config);
      case BlocksMethod.NAME -> blocks(config);
      case Mxfp4Method.NAME -> new Mxfp4Method();
      case null, default -> throw config.wrong("quant_method", "gptq, awq, mxfp4 or gatun");
    };
  }

  private static QuantizationMethod blocks(Config config) {
    String format = config.text("format", "");
    try {
      return new BlocksMethod(BlockFormat.of(format));
    } catch (IllegalArgumentException e) {
      throw config.wrong("format", "a format of blocks: " + e.getMessage());
    }
  }

  private static QuantizationMethod gptq(Config config) {
    int bits = config.integer("bits");
    if (bits != 4 && bits != 8) {
      throw config.wrong("bits", "4 or 8");
    }
    String format = config.text("checkpoint_format", "gptq");
    if (!format.equals("gptq") && !format.equals("gptq_v2")) {
      throw config.wrong("checkpoint_format", "gptq or gptq_v2");
    }
    return new GptqMethod(
        bits,
        groupSize(config),
        config.flag("desc_act", false),
        config.flag("sym", true),
        format.equals("gptq_v2"));
  }

  private static QuantizationMethod awq(Config config) {
    if (config.integer("bits", 4) != 4) {
      throw config.wrong("bits", "4");
    }
    if (!config.text("version", "gemm").equalsIgnoreCase("gemm")) {
      throw config.wrong("version", "gemm");
    }
    return new AwqMethod(groupSize(config), config.flag("zero_point", true));
  }

  private static int groupSize(Config config) {
    int size = config.integer("group_size", 128);
    if (size != -1 && (size <= 0 || size % 32 != 0)) {
      throw config.wrong("group_size", "-1 or a multiple of 32");
    }
    return size;
  }
}
