package dev.gatun.kernels.api.device;

/** A backend cannot run here; the message says why and, where something would help, what. */
public final class BackendUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * With a reason.
   *
   * @param message why the backend cannot run
   */
  public BackendUnavailableException(String message) {
    super(message);
  }

  /**
   * With a reason and what was behind it.
   *
   * @param message why the backend cannot run
   * @param cause what was thrown
   */
  public BackendUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
