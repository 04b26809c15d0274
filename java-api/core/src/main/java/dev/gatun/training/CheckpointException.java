package dev.gatun.training;

/**
 * A checkpoint that could not be written, or that a run cannot go on from; the message says why.
 */
public final class CheckpointException extends TrainingException {
  private static final long serialVersionUID = 1;

  /**
   * An exception with this message.
   *
   * @param message what is wrong with which file, and what would be right
   */
  public CheckpointException(String message) {
    super(message);
  }

  /**
   * An exception with this message, and why.
   *
   * @param message what is wrong with which file, and what would be right
   * @param cause why; null where it is not known
   */
  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
