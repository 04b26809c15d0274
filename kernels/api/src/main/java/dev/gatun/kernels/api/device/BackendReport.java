package dev.gatun.kernels.api.device;

/**
 * What came of one backend for the processor.
 *
 * @param name the backend's name
 * @param status its description when it can run, else why it cannot
 * @param chosen whether it is the one in use
 */
public record BackendReport(String name, String status, boolean chosen) {
  /** One line: {@code cpu (avx512, 2 threads)}, or the name and why it is not in use. */
  @Override
  public String toString() {
    return chosen ? name + " (" + status + ")" : name + ": " + status;
  }
}
