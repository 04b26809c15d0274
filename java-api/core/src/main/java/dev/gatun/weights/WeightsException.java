package dev.gatun.weights;

/**
 * A weights file is damaged, or lacks what was asked of it. The message names the file, the tensor
 * and the values.
 */
public class WeightsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** An exception that says {@code message}. */
  public WeightsException(String message) {
    super(message);
  }

  /** An exception that says {@code message}, caused by {@code cause}. */
  public WeightsException(String message, Throwable cause) {
    super(message, cause);
  }
}
