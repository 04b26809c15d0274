package dev.gatun.weights;

/**
 * A weights file is damaged, or lacks what was asked of it. The message names the file, the tensor
 * and the values.
 */
public class WeightsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * An exception without a cause.
   *
   * @param message the file, the tensor and the values
   */
  public WeightsException(String message) {
    super(message);
  }

  /**
   * An exception with a cause.
   *
   * @param message the file, the tensor and the values
   * @param cause what was thrown below; null where it is not known
   */
  public WeightsException(String message, Throwable cause) {
    super(message, cause);
  }
}
