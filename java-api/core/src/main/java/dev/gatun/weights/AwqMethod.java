package dev.gatun.weights;

import java.util.Arrays;

/**
 * AWQ (Lin et al., arXiv 2306.00978) as AutoAWQ saves it for its version {@code gemm}, 4 bits. Of a
 * layer {@code y = x Wᵀ} with [out_features, in_features]:
 *
 * <ul>
 *   <li>{@code qweight} I32 [in_features, out_features / 8]: codes, eight neighbours on the output
 *       axis in a word, from the lowest bits the ones 0, 2, 4, 6, 1, 3, 5, 7
 *   <li>{@code qzeros} I32 [groups, out_features / 8]: zero points in the same order
 *   <li>{@code scales} F16, BF16 or F32 [groups, out_features]
 * </ul>
 *
 * @param groupSize input features that share a scale: a multiple of 32, or -1 for all
 * @param zeroPoint whether the file must have {@code qzeros}; without, zero points are 8
 */
public record AwqMethod(int groupSize, boolean zeroPoint) implements QuantizationMethod {
  /** Output features of a word, from its lowest bits up. */
  private static final int[] ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public AwqMethod {
    PackedTensors.checkGroup("AWQ", groupSize);
  }

  @Override
  public QuantizedWeight read(TensorFile file, String module, long outFeatures, long inFeatures) {
    PackedTensors tensors = new PackedTensors(file, module, outFeatures, inFeatures, groupSize);
    int out = tensors.outFeatures();
    int in = tensors.inFeatures();
    int groups = tensors.groups();
    tensors.requireMultiple("output", out, 8);
    PackedTensors.Words words = tensors.words("qweight", in, out / 8);
    float[] scales = tensors.scales();
    QuantizedWeight.Codes codes =
        (first, last, unpacked) -> {
          for (int k = 0; k < in; k++) {
            for (int w = first / 8; w < last / 8; w++) {
              int word = words.get(k, w);
              for (int i = 0; i < 8; i++) {
                unpacked[(w * 8 - first + ORDER[i]) * in + k] = (byte) (word >>> 4 * i & 15);
              }
            }
          }
        };
    int[] zeros = new int[out * groups];
    if (zeroPoint || tensors.has("qzeros")) {
      PackedTensors.Words packedZeros = tensors.words("qzeros", groups, out / 8);
      for (int g = 0; g < groups; g++) {
        for (int n = 0; n < out; n++) {
          int w = n - n % 8;
          int feature = w + ORDER[n % 8];
          zeros[feature * groups + g] = packedZeros.get(g, w / 8) >>> 4 * (n % 8) & 15;
        }
      }
    } else {
      Arrays.fill(zeros, 8);
    }
    return new QuantizedWeight(4, out, in, tensors.group(), codes, scales, zeros, null);
  }
}
