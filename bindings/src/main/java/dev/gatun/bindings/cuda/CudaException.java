package dev.gatun.bindings.cuda;

/** A call of the CUDA driver that returned an error. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;

  CudaException(int status, String code, String description, String call) {
    super(call + ": " + code + " (" + status + "), " + description);
    this.status = status;
    this.code = code;
  }

  /** The {@code CUresult}. */
  public int status() {
    return status;
  }

  /** The name of the {@code CUresult}, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public String code() {
    return code;
  }
}
