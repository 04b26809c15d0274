package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Quantises rows of floats, and makes floats of blocks again. */
public final class Quantizer {
  private Quantizer() {}

  /** Reads a row of floats. */
  @FunctionalInterface
  public interface Rows {
    /**
     * Writes the elements of a row into x.
     *
     * @param row its number
     * @param x receives in_features elements
     */
    void read(long row, float[] x);
  }

  /**
   * Quantises a weight.
   *
   * @param weight gives the rows; asked by several threads
   * @param blocks receives [out_features] rows of {@link BlockFormat#rowBytes} without gaps
   * @param format of the blocks
   * @param outFeatures rows of the weight
   * @param inFeatures elements of a row
   * @return the error that this makes
   * @throws IllegalArgumentException when an element is NaN, infinite, or too large for the
   *     format's scale, naming its place
   */
  public static QuantizationError quantize(
      BlockFormat format, Rows weight, int outFeatures, int inFeatures, MemorySegment blocks) {
    long rowBytes = format.rowBytes(inFeatures);
    QuantizationError[] errors = new QuantizationError[inFeatures == 0 ? 0 : outFeatures];
    Parallel.each(
        errors.length,
        i -> {
          int row = (int) i;
          float[] x = new float[inFeatures];
          weight.read(row, x);
          errors[row] = quantize(format, x, row, blocks.asSlice(row * rowBytes, rowBytes));
        });
    return Arrays.stream(errors).reduce(QuantizationError.NONE, QuantizationError::plus);
  }

  /**
   * The same where errors in some columns matter more, as ggml weighs them: by the column's
   * importance, times {@code sqrt(sigma² + x²)} with the mean square sigma² of what is near; in
   * units of sigma.
   *
   * @param weight gives the rows; asked by several threads
   * @param importance [in_features], the mean square of what the column is multiplied by
   * @param blocks receives [out_features] rows of {@link BlockFormat#rowBytes} without gaps
   * @param format one of GGML's
   * @param outFeatures rows of the weight
   * @param inFeatures elements of a row
   * @return the error that this makes, not weighed
   * @throws IllegalArgumentException when an element is NaN, infinite, or too large for the
   *     format's scale, naming its place
   */
  public static QuantizationError quantize(
      BlockFormat format,
      Rows weight,
      float[] importance,
      int outFeatures,
      int inFeatures,
      MemorySegment blocks) {
    if (importance.length != inFeatures) {
      throw new IllegalArgumentException(
          "quantize to %s: the importance of %d columns, expected %d"
              .formatted(format, importance.length, inFeatures));
    }
    long rowBytes = format.rowBytes(inFeatures);
    QuantizationError[] errors = new QuantizationError[inFeatures == 0 ? 0 : outFeatures];
    Parallel.each(
        errors.length,
        i -> {
          int row = (int) i;
          float[] x = new float[inFeatures];
          weight.read(row, x);
          errors[row] =
              quantize(format, x, importance, row, blocks.asSlice(row * rowBytes, rowBytes));
        });
    return Arrays.stream(errors).reduce(QuantizationError.NONE, QuantizationError::plus);
  }

  private static QuantizationError quantize(
      BlockFormat format, float[] x, int row, MemorySegment out) {
    return quantize(format, x, null, row, out);
  }

  private static QuantizationError quantize(
      BlockFormat format, float[] x, float[] importance, int row, MemorySegment out) {
    for (int i = 0; i < x.length; i++) {
      if (!Float.isFinite(x[i])) {
        throw new IllegalArgumentException(
            "quantize to %s: element [%d, %d] is %s, expected finite numbers"
                .formatted(format, row, i, x[i]));
      }
    }
    int size = format.blockSize(x.length);
    int bytes = format.blockBytes(x.length);
    BlockCodec codec = BlockCodec.of(format);
    float[] part = new float[size];
    for (int b = 0; b < x.length / size; b++) {
      System.arraycopy(x, b * size, part, 0, size);
      if (importance == null) {
        codec.encode(part, size, out, (long) b * bytes);
      } else {
        float[] weights = Importance.weights(format, x, importance, b * size, size);
        codec.encode(part, weights, size, out, (long) b * bytes);
      }
    }
    float[] back = new float[x.length];
    dequantize(format, out, back);
    for (int i = 0; i < x.length; i++) {
      if (!Float.isFinite(back[i])) {
        int largest = largest(x, i / size * size, size);
        throw new IllegalArgumentException(
            "quantize to %s: element [%d, %d] is %s, too large for the format's scale in F16"
                .formatted(format, row, largest, x[largest]));
      }
    }
    return QuantizationError.between(x, back);
  }

  /** The place of what makes the scale of a block. */
  private static int largest(float[] x, int begin, int count) {
    int largest = begin;
    for (int i = begin + 1; i < begin + count; i++) {
      largest = Math.abs(x[i]) > Math.abs(x[largest]) ? i : largest;
    }
    return largest;
  }

  /**
   * Makes a row's blocks floats again, by the arithmetic of the format.
   *
   * @param blocks {@link BlockFormat#rowBytes} of the row's length
   * @param row receives the elements
   * @param format of the blocks
   */
  public static void dequantize(BlockFormat format, MemorySegment blocks, float[] row) {
    if (row.length == 0) {
      return;
    }
    Block block = new Block(format.blockSize(row.length));
    int bytes = format.blockBytes(row.length);
    BlockCodec codec = BlockCodec.of(format);
    for (int b = 0; b < row.length / block.size(); b++) {
      codec.decode(blocks, (long) b * bytes, block);
      for (int i = 0; i < block.size(); i++) {
        row[b * block.size() + i] = block.value(i);
      }
    }
  }
}
