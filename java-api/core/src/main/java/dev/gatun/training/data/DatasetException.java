package dev.gatun.training.data;

/** Data that cannot be trained on; the message names the file and the line, and what would do. */
public final class DatasetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /**
   * An exception with this message.
   *
   * @param message the file and the line, what is wrong there, and what would do
   */
  public DatasetException(String message) {
    super(message);
  }

  /**
   * An exception with this message, and why.
   *
   * @param message the file and the line, what is wrong there, and what would do
   * @param cause why; null where it is not known
   */
  public DatasetException(String message, Throwable cause) {
    super(message, cause);
  }
}
