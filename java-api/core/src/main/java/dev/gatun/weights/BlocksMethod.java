package dev.gatun.weights;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import java.util.Arrays;
import java.util.List;

/**
 * Blocks of one format, as products read them: of a layer {@code y = x Wᵀ} with [out_features,
 * in_features] the tensor {@code blocks} U8 [out_features, row_bytes]. Gatun's own {@code
 * quant_method}, {@code gatun}.
 *
 * @param format of the blocks
 */
public record BlocksMethod(BlockFormat format) implements QuantizationMethod {
  /** The {@code quant_method}. */
  public static final String NAME = "gatun";

  /** What follows a layer's name. */
  public static final String TENSOR = ".blocks";

  @Override
  public List<String> tensors(TensorFile file, String module) {
    return file.names().contains(module + TENSOR) ? List.of(module + TENSOR) : List.of();
  }

  @Override
  public StoredWeight read(TensorFile file, String module, long outFeatures, long inFeatures) {
    TensorFile.Entry entry = file.get(module + TENSOR);
    long[] expected = {outFeatures, format.rowBytes(inFeatures)};
    if (entry.dtype() != DType.U8 || !Arrays.equals(entry.shape(), expected)) {
      throw new WeightsException(
          "%s: expected U8 %s for [%d, %d] in blocks of %s"
              .formatted(entry, Arrays.toString(expected), outFeatures, inFeatures, format));
    }
    return new StoredWeight.Blocks(entry.data(), format, outFeatures, inFeatures);
  }
}
