package dev.gatun.bindings.cuda;

/** A call of cuBLASLt that returned an error. */
public final class CublasLtException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  CublasLtException(int status, String name, String description, String call) {
    super(call + ": " + name + " (" + status + "), " + description);
    this.status = status;
  }

  /** The {@code cublasStatus_t}. */
  public int status() {
    return status;
  }
}
