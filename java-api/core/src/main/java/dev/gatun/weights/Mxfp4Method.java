package dev.gatun.weights;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * MXFP4 (OCP Microscaling Formats, 1.0) as gpt-oss has it, {@code quant_method} {@code mxfp4}: of
 * the experts' layers, for {@code experts.E.gate_proj} and {@code experts.E.up_proj} the tensors
 * {@code experts.gate_up_proj_blocks} U8 [experts, 2 out_features, in_features / 32, 16] and {@code
 * experts.gate_up_proj_scales} U8 [experts, 2 out_features, in_features / 32], in which the
 * features of both take turns; for {@code experts.E.down_proj} likewise its own. Other layers are
 * not quantised.
 */
public record Mxfp4Method() implements QuantizationMethod {
  /** The {@code quant_method}. */
  public static final String NAME = "mxfp4";

  private static final Pattern LAYER =
      Pattern.compile("(.*experts)\\.(\\d+)\\.(gate_proj|up_proj|down_proj)");
  private static final String BLOCKS = "_blocks";
  private static final String SCALES = "_scales";
  private static final int CODE_BYTES = 16;

  /** The begin of the tensors' names. */
  private static String tensor(Matcher layer) {
    return layer.group(1) + (layer.group(3).equals("down_proj") ? ".down_proj" : ".gate_up_proj");
  }

  @Override
  public List<String> tensors(TensorFile file, String module) {
    Matcher layer = LAYER.matcher(module);
    return layer.matches()
        ? Stream.of(BLOCKS, SCALES)
            .map(part -> tensor(layer) + part)
            .filter(file.names()::contains)
            .toList()
        : List.of();
  }

  @Override
  public StoredWeight read(TensorFile file, String module, long outFeatures, long inFeatures) {
    Matcher layer = LAYER.matcher(module);
    if (!layer.matches()) {
      throw new IllegalArgumentException("no layer of experts: " + module);
    }
    String name = tensor(layer);
    boolean joined = name.endsWith("gate_up_proj");
    long rows = joined ? 2 * outFeatures : outFeatures;
    int block = BlockFormat.MXFP4.blockSize(inFeatures);
    if (inFeatures % block != 0) {
      throw new WeightsException(
          "%s: layers of %d input features in blocks of %d, expected a multiple"
              .formatted(name, inFeatures, block));
    }
    TensorFile.Entry blocks = file.get(name + BLOCKS);
    TensorFile.Entry scales = file.get(name + SCALES);
    long experts = scales.shape().length == 0 ? 0 : scales.shape()[0];
    int expert = Integer.parseInt(layer.group(2));
    require(scales, experts, rows, inFeatures / block);
    require(blocks, experts, rows, inFeatures / block, CODE_BYTES);
    if (expert >= experts) {
      throw new WeightsException("%s: has no expert %d".formatted(scales, expert));
    }
    long each = scales.data().byteSize() / experts;
    return new Mxfp4Weight(
        blocks.data().asSlice(expert * each * CODE_BYTES, each * CODE_BYTES),
        scales.data().asSlice(expert * each, each),
        outFeatures,
        inFeatures,
        layer.group(3).equals("up_proj") ? 1 : 0,
        joined ? 2 : 1);
  }

  private static void require(TensorFile.Entry entry, long... shape) {
    if (entry.dtype() != DType.U8 || !Arrays.equals(entry.shape(), shape)) {
      throw new WeightsException("%s: expected U8 %s".formatted(entry, Arrays.toString(shape)));
    }
  }
}
