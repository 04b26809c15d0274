package dev.gatun.kernels.formats;

/**
 * A block taken apart: element i is {@code scales[i / group] * (codes[i] - zeros[i / group]) +
 * mins[i / group]}. Codes are centred: -8 to 7 of four bits where the format has no minimum. Where
 * groups share a scale, theirs are {@code scale * times[g]} and {@code -(min * less[g])}.
 */
final class Block {
  final int[] codes;
  final int[] zeros;
  final float[] scales;
  final float[] mins;
  final byte[] times;
  final byte[] less;
  float scale;
  float min;
  private final int size;
  private int group;

  Block(int size) {
    this.size = size;
    this.group = size;
    codes = new int[size];
    int groups = Math.max(1, size / 16);
    zeros = new int[groups];
    scales = new float[groups];
    mins = new float[groups];
    times = new byte[groups];
    less = new byte[groups];
  }

  int size() {
    return size;
  }

  /** Elements that share a scale. */
  int group() {
    return group;
  }

  void setGroup(int elements) {
    group = elements;
  }

  /** Sets the scale and the minimum of a group by those of the block. */
  void setShared(int g, int scaleTimes, int minLess) {
    times[g] = (byte) scaleTimes;
    less[g] = (byte) minLess;
    scales[g] = scale * scaleTimes;
    mins[g] = -(min * minLess);
  }

  /** The element as a float, each operation rounded once. */
  float value(int i) {
    int g = i / group;
    float product = scales[g] * (codes[i] - zeros[g]);
    return mins[g] == 0 ? product : product + mins[g];
  }
}
