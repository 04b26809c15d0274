package dev.gatun.weights;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.formats.BlockWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The weight of a linear layer as a quantised checkpoint has it. The element of output feature n at
 * place k is {@code scale * (code - zero)} with the scale and the zero point of its group, {@code k
 * / group}; it belongs to the input feature {@code order[k]}.
 */
public final class QuantizedWeight {
  private final int bits;
  private final int outFeatures;
  private final int inFeatures;
  private final int group;
  private final byte[] codes;
  private final float[] scales;
  private final int[] zeros;
  private final int[] order;

  /**
   * @param codes [out_features, in_features]
   * @param scales [out_features, groups]
   * @param zeros [out_features, groups]
   * @param order [in_features], or null where each is its own place
   */
  QuantizedWeight(
      int bits,
      int outFeatures,
      int inFeatures,
      int group,
      byte[] codes,
      float[] scales,
      int[] zeros,
      int[] order) {
    this.bits = bits;
    this.outFeatures = outFeatures;
    this.inFeatures = inFeatures;
    this.group = group;
    this.codes = codes;
    this.scales = scales;
    this.zeros = zeros;
    this.order = order;
  }

  public int outFeatures() {
    return outFeatures;
  }

  public int inFeatures() {
    return inFeatures;
  }

  /** The input feature of each place, [in_features]; null where each is its own. */
  public long[] order() {
    return order == null ? null : Arrays.stream(order).asLongStream().toArray();
  }

  /** Whether the weights of layers with the same input can be one, {@link #beside}. */
  public static boolean joins(List<QuantizedWeight> weights) {
    QuantizedWeight first = weights.getFirst();
    return weights.stream()
        .allMatch(
            w ->
                w.bits == first.bits
                    && w.inFeatures == first.inFeatures
                    && w.group == first.group
                    && Arrays.equals(w.order, first.order));
  }

  /** The weights of layers with the same input as one, their output features one after another. */
  public static QuantizedWeight beside(List<QuantizedWeight> weights) {
    QuantizedWeight first = weights.getFirst();
    if (!joins(weights)) {
      throw new IllegalArgumentException("quantised weights of different groups do not join");
    }
    int out = Math.toIntExact(weights.stream().mapToLong(w -> w.outFeatures).sum());
    int groups = first.inFeatures / first.group;
    byte[] codes = new byte[Math.multiplyExact(out, first.inFeatures)];
    float[] scales = new float[out * groups];
    int[] zeros = new int[out * groups];
    int row = 0;
    for (QuantizedWeight w : weights) {
      System.arraycopy(w.codes, 0, codes, row * first.inFeatures, w.codes.length);
      System.arraycopy(w.scales, 0, scales, row * groups, w.scales.length);
      System.arraycopy(w.zeros, 0, zeros, row * groups, w.zeros.length);
      row += w.outFeatures;
    }
    return new QuantizedWeight(
        first.bits, out, first.inFeatures, first.group, codes, scales, zeros, first.order);
  }

  /** The format of {@link #blocks}: groups that are longer than its blocks repeat their scale. */
  public BlockFormat format() {
    int block =
        IntStream.of(128, 64, 32).filter(size -> group % size == 0).findFirst().orElseThrow();
    boolean centred = Arrays.stream(zeros).allMatch(zero -> zero == 1 << bits - 1);
    boolean halves = true;
    for (float scale : scales) {
      halves &= Float.float16ToFloat(Float.floatToFloat16(scale)) == scale;
    }
    return BlockWriter.format(bits, block, centred, halves);
  }

  /** The weight in blocks of {@link #format}, [out_features, row_bytes]; no number changes. */
  public byte[] blocks() {
    BlockFormat format = format();
    int size = format.blockSize(inFeatures);
    int bytes = format.blockBytes(inFeatures);
    long rowBytes = format.rowBytes(inFeatures);
    byte[] blocks = new byte[Math.toIntExact(outFeatures * rowBytes)];
    MemorySegment out = MemorySegment.ofArray(blocks);
    IntStream.range(0, outFeatures)
        .parallel()
        .forEach(
            n -> {
              int[] block = new int[size];
              for (int k = 0; k < inFeatures; k += size) {
                for (int i = 0; i < size; i++) {
                  block[i] = codes[n * inFeatures + k + i] & 0xff;
                }
                int g = n * (inFeatures / group) + k / group;
                long at = n * rowBytes + (long) (k / size) * bytes;
                BlockWriter.write(format, block, scales[g], zeros[g], out, at);
              }
            });
    return blocks;
  }

  /** The elements as floats, [out_features, in_features], each rounded once. */
  public float[] dequantized() {
    float[] weight = new float[codes.length];
    for (int n = 0; n < outFeatures; n++) {
      for (int k = 0; k < inFeatures; k++) {
        int g = n * (inFeatures / group) + k / group;
        int column = order == null ? k : order[k];
        int code = codes[n * inFeatures + k] & 0xff;
        weight[n * inFeatures + column] = scales[g] * (code - zeros[g]);
      }
    }
    return weight;
  }
}
