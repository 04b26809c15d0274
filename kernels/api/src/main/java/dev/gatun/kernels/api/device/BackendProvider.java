package dev.gatun.kernels.api.device;

/** Finds out whether a backend can run here; found by {@link java.util.ServiceLoader}. */
public interface BackendProvider {
  /** The backend's name, as {@code -Dgatun.backend=NAME} forces it. */
  String name();

  /** The higher one is taken where several can run. */
  int priority();

  /**
   * Opens the backend.
   *
   * @throws BackendUnavailableException saying why it cannot run here
   */
  Backend open() throws BackendUnavailableException;
}
