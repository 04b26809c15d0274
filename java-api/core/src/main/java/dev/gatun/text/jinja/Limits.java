package dev.gatun.text.jinja;

/**
 * How much a template may do.
 *
 * @param depth nested expressions, blocks and calls while rendering
 * @param steps expressions and statements evaluated, and elements that operations go through
 * @param chars the most UTF-16 units of the output, and of any text made on the way
 */
public record Limits(int depth, long steps, int chars) {
  /** Far more than published templates need for long conversations. */
  public static final Limits DEFAULT = new Limits(500, 5_000_000, 32 << 20);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is not positive
   */
  public Limits {
    if (depth < 1 || steps < 1 || chars < 1) {
      throw new IllegalArgumentException(
          "limits must be positive: depth %d, steps %d, chars %d".formatted(depth, steps, chars));
    }
  }
}
