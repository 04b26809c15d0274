package dev.gatun.kernels.formats;

/**
 * How far quantised elements are from what they were.
 *
 * @param elements how many were compared
 * @param squares the sum of the squares of the originals
 * @param errorSquares the sum of the squares of the differences
 * @param largest the largest difference
 */
public record QuantizationError(
    long elements, double squares, double errorSquares, double largest) {
  /** Nothing compared yet. */
  public static final QuantizationError NONE = new QuantizationError(0, 0, 0, 0);

  /** {@return the root of the mean square of the differences} */
  public double rootMeanSquare() {
    return elements == 0 ? 0 : Math.sqrt(errorSquares / elements);
  }

  /** {@return the root of the differences' squares to the originals' squares} */
  public double relative() {
    return squares == 0 ? 0 : Math.sqrt(errorSquares / squares);
  }

  /**
   * Both together.
   *
   * @param other the error of other elements
   * @return the error of both
   */
  public QuantizationError plus(QuantizationError other) {
    return new QuantizationError(
        elements + other.elements,
        squares + other.squares,
        errorSquares + other.errorSquares,
        Math.max(largest, other.largest));
  }

  static QuantizationError between(float[] originals, float[] now) {
    double squares = 0;
    double errorSquares = 0;
    double largest = 0;
    for (int i = 0; i < originals.length; i++) {
      double difference = (double) now[i] - originals[i];
      squares += (double) originals[i] * originals[i];
      errorSquares += difference * difference;
      largest = Math.max(largest, Math.abs(difference));
    }
    return new QuantizationError(originals.length, squares, errorSquares, largest);
  }
}
