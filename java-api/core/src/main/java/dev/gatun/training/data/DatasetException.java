package dev.gatun.training.data;

/** Data that cannot be trained on; the message names the file and the line, and what would do. */
public final class DatasetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** An exception with this message. */
  public DatasetException(String message) {
    super(message);
  }

  /** An exception with this message, and why. */
  public DatasetException(String message, Throwable cause) {
    super(message, cause);
  }
}
