package dev.gatun.training;

/** Training that cannot go on; the message says at which step, why, and what is kept. */
public class TrainingException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /** An exception with this message. */
  public TrainingException(String message) {
    super(message);
  }

  /** An exception with this message, and why. */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
