package dev.gatun.weights;

/**
 * GPTQ (Frantar et al., arXiv 2210.17323) as AutoGPTQ and GPTQModel save it. Of a layer {@code y =
 * x Wᵀ} with [out_features, in_features], words of 32 bits hold {@code 32 / bits} numbers, the
 * first in the lowest bits:
 *
 * <ul>
 *   <li>{@code qweight} I32 [in_features * bits / 32, out_features]: codes, neighbours on the input
 *       axis in a word
 *   <li>{@code qzeros} I32 [groups, out_features * bits / 32]: zero points, neighbours on the
 *       output axis in a word; {@code gptq} files have them less 1, so that 2^bits is one too,
 *       {@code gptq_v2} files as they are
 *   <li>{@code scales} F16, BF16 or F32 [groups, out_features]
 *   <li>{@code g_idx} I32 [in_features]: each input feature's group, which are not neighbours after
 *       {@code desc_act}
 * </ul>
 *
 * @param bits of a code: 4 or 8
 * @param groupSize input features that share a scale: a multiple of 32, or -1 for all
 * @param descAct whether the file must have {@code g_idx}; without, groups are neighbours
 * @param sym whether every zero point is the middle code; some files with {@code gptq} have it as
 *     it is, which is then told by the number itself
 * @param v2 whether zero points are stored as they are
 */
public record GptqMethod(int bits, int groupSize, boolean descAct, boolean sym, boolean v2)
    implements QuantizationMethod {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming what does not fit, and what would
   */
  public GptqMethod {
    if (bits != 4 && bits != 8) {
      throw new IllegalArgumentException("GPTQ of %d bits, expected 4 or 8".formatted(bits));
    }
    PackedTensors.checkGroup("GPTQ", groupSize);
  }

  @Override
  public QuantizedWeight read(TensorFile file, String module, long outFeatures, long inFeatures) {
    PackedTensors tensors = new PackedTensors(file, module, outFeatures, inFeatures, groupSize);
    int out = tensors.outFeatures();
    int in = tensors.inFeatures();
    int groups = tensors.groups();
    int each = 32 / bits;
    tensors.requireMultiple("output", out, each);
    PackedTensors.Words words = tensors.words("qweight", in / each, out);
    PackedTensors.Words packedZeros = tensors.words("qzeros", groups, out / each);
    float[] scales = tensors.scales();
    int[] order = order(tensors);
    int[] place = new int[in];
    for (int k = 0; k < in; k++) {
      place[order == null ? k : order[k]] = k;
    }
    int mask = (1 << bits) - 1;
    QuantizedWeight.Codes codes =
        (first, last, unpacked) -> {
          for (int r = 0; r < in / each; r++) {
            for (int n = first; n < last; n++) {
              int word = words.get(r, n);
              for (int i = 0; i < each; i++) {
                unpacked[(n - first) * in + place[r * each + i]] =
                    (byte) (word >>> i * bits & mask);
              }
            }
          }
        };
    int[] zeros = new int[out * groups];
    for (int g = 0; g < groups; g++) {
      for (int n = 0; n < out; n++) {
        zeros[n * groups + g] = packedZeros.get(g, n / each) >>> n % each * bits & mask;
      }
    }
    moveZeros(zeros);
    return new QuantizedWeight(bits, out, in, tensors.group(), codes, scales, zeros, order);
  }

  private void moveZeros(int[] zeros) {
    boolean asTheyAre = v2;
    if (sym) {
      boolean middle = true;
      for (int zero : zeros) {
        middle &= zero == 1 << bits - 1;
      }
      asTheyAre |= middle;
    }
    for (int i = 0; i < zeros.length && !asTheyAre; i++) {
      zeros[i]++;
    }
  }

  /** The input features group by group, or null where they are in order. */
  private int[] order(PackedTensors tensors) {
    if (!descAct && !tensors.has("g_idx")) {
      return null;
    }
    int in = tensors.inFeatures();
    PackedTensors.Words index = tensors.words("g_idx", in);
    int[] filled = new int[tensors.groups()];
    int[] order = new int[in];
    boolean inOrder = true;
    for (int k = 0; k < in; k++) {
      int g = index.get(0, k);
      if (g < 0 || g >= filled.length) {
        throw tensors.error(
            "g_idx", "has %d at [%d], expected a group from 0 to %d", g, k, filled.length - 1);
      }
      if (filled[g] == tensors.group()) {
        throw tensors.error(
            "g_idx", "gives group %d more than the %d input features of a group", g, filled[g]);
      }
      int at = g * tensors.group() + filled[g]++;
      order[at] = k;
      inOrder &= at == k;
    }
    return inOrder ? null : order;
  }
}
