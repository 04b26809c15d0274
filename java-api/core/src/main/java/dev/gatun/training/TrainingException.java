package dev.gatun.training;

/** Training that cannot go on; the message says at which step, why, and what is kept. */
public class TrainingException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /**
   * An exception with this message.
   *
   * @param message the step, what is wrong there, and what is kept
   */
  public TrainingException(String message) {
    super(message);
  }

  /**
   * An exception with this message, and why.
   *
   * @param message the step, what is wrong there, and what is kept
   * @param cause why; null where it is not known
   */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
