package dev.gatun.bindings.cuda;

import dev.gatun.bindings.generated.cuda.cuda_h;

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

  /** Whether the device has not as much memory as was asked for. */
  public boolean isOutOfMemory() {
    return status == cuda_h.CUDA_ERROR_OUT_OF_MEMORY();
  }

  /** The name of the {@code CUresult}, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public String code() {
    return code;
  }
}
