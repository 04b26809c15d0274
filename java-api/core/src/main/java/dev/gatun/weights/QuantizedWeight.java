package dev.gatun.weights;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.BlockWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The weight of a linear layer as a checkpoint of GPTQ or AWQ has it. The element of output feature
 * n at place k is {@code scale * (code - zero)} with the scale and the zero point of its group,
 * {@code k / group}; it belongs to the input feature {@code order[k]}. Codes stay in the file until
 * their rows are read.
 */
public final class QuantizedWeight implements StoredWeight {
  /** Output features that one thread unpacks at a time: a multiple of the eight in a word. */
  private static final int ROWS = 64;

  /** Takes codes out of the words of a file. */
  @FunctionalInterface
  interface Codes {
    /**
     * Reads the codes of some output features.
     *
     * @param first a multiple of 8
     * @param last behind the last one: a multiple of 8
     * @param codes receives [last - first, in_features]
     */
    void read(int first, int last, byte[] codes);
  }

  private final int bits;
  private final int outFeatures;
  private final int inFeatures;
  private final int group;
  private final Codes codes;
  private final float[] scales;
  private final int[] zeros;
  private final int[] order;

  /**
   * @param scales [out_features, groups]
   * @param zeros [out_features, groups]
   * @param order [in_features], or null where each is its own place
   */
  QuantizedWeight(
      int bits,
      int outFeatures,
      int inFeatures,
      int group,
      Codes codes,
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

  @Override
  public long outFeatures() {
    return outFeatures;
  }

  @Override
  public long inFeatures() {
    return inFeatures;
  }

  /**
   * {@return the input feature of each place, [in_features], in a new array; null where each is its
   * own}
   */
  public long[] order() {
    return order == null ? null : Arrays.stream(order).asLongStream().toArray();
  }

  /** Whether the weights of layers with the same input can be rows of one. */
  static boolean joins(List<QuantizedWeight> weights) {
    QuantizedWeight first = weights.getFirst();
    return weights.stream()
        .allMatch(
            w ->
                w.bits == first.bits
                    && w.inFeatures == first.inFeatures
                    && w.group == first.group
                    && Arrays.equals(w.order, first.order));
  }

  /**
   * The format that holds all of them exactly: groups that are longer than its blocks repeat their
   * scale.
   */
  static BlockFormat format(List<QuantizedWeight> weights) {
    QuantizedWeight first = weights.getFirst();
    int block =
        IntStream.of(128, 64, 32).filter(size -> first.group % size == 0).findFirst().orElseThrow();
    return BlockWriter.format(
        first.bits,
        block,
        weights.stream().allMatch(QuantizedWeight::isCentred),
        weights.stream().allMatch(QuantizedWeight::hasHalves));
  }

  private boolean isCentred() {
    return Arrays.stream(zeros).allMatch(zero -> zero == 1 << bits - 1);
  }

  private boolean hasHalves() {
    boolean halves = true;
    for (float scale : scales) {
      halves &= Float.float16ToFloat(Float.floatToFloat16(scale)) == scale;
    }
    return halves;
  }

  @Override
  public Storage storage() {
    return Storage.of(format(List.of(this)));
  }

  /** No number changes; the storage is that of {@link #format}. */
  @Override
  public MemorySegment rows(Storage storage, long first, long last, MemorySegment room) {
    if (!(storage instanceof Storage.Blocks(BlockFormat format))) {
      throw new IllegalArgumentException("rows of a quantised weight as " + storage);
    }
    long rowBytes = format.rowBytes(inFeatures);
    MemorySegment rows = room.asSlice(0, (last - first) * rowBytes);
    // Words hold eight output features, which rows need not begin with.
    LongStream.range(first / ROWS, Math.ceilDiv(last, ROWS))
        .parallel()
        .forEach(
            part -> {
              int begin = (int) part * ROWS;
              int end = Math.min(outFeatures, begin + ROWS);
              byte[] unpacked = new byte[Math.multiplyExact(end - begin, inFeatures)];
              codes.read(begin, end, unpacked);
              for (int n = (int) Math.max(begin, first); n < Math.min(end, last); n++) {
                write(format, n, unpacked, (n - begin) * inFeatures, rows, (n - first) * rowBytes);
              }
            });
    return rows;
  }

  private void write(
      BlockFormat format, int n, byte[] unpacked, int from, MemorySegment out, long at) {
    int size = format.blockSize(inFeatures);
    int bytes = format.blockBytes(inFeatures);
    int[] block = new int[size];
    for (int k = 0; k < inFeatures; k += size) {
      for (int i = 0; i < size; i++) {
        block[i] = unpacked[from + k + i] & 0xff;
      }
      int g = n * (inFeatures / group) + k / group;
      BlockWriter.write(format, block, scales[g], zeros[g], out, at + (long) (k / size) * bytes);
    }
  }
}
