package dev.gatun.training;

/**
 * A checkpoint that could not be written, or that a run cannot go on from; the message says why.
 */
public final class CheckpointException extends TrainingException {
  private static final long serialVersionUID = 1;

  /** An exception with this message. */
  public CheckpointException(String message) {
    super(message);
  }

  /** An exception with this message, and why. */
  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
