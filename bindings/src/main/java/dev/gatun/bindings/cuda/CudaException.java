package dev.gatun.bindings.cuda;

import dev.gatun.bindings.generated.cuda.cuda_h;

/** A call of the CUDA driver that returned an error. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;

  CudaException(int status, String code, String description, String call) {
    super(
        "%s: %s (%d), %s%s"
            .formatted(
                call,
                code,
                status,
                description,
                isDeviceLost(status)
                    ? ". The device is lost to this process: only a new one can use it again"
                    : ""));
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

  /** Whether this process can use the device no more, whatever it does. */
  public boolean isDeviceLost() {
    return isDeviceLost(status);
  }

  private static boolean isDeviceLost(int status) {
    return status == cuda_h.CUDA_ERROR_ILLEGAL_ADDRESS()
        || status == cuda_h.CUDA_ERROR_LAUNCH_FAILED()
        || status == cuda_h.CUDA_ERROR_LAUNCH_TIMEOUT()
        || status == cuda_h.CUDA_ERROR_ASSERT()
        || status == cuda_h.CUDA_ERROR_HARDWARE_STACK_ERROR()
        || status == cuda_h.CUDA_ERROR_ILLEGAL_INSTRUCTION()
        || status == cuda_h.CUDA_ERROR_MISALIGNED_ADDRESS()
        || status == cuda_h.CUDA_ERROR_INVALID_ADDRESS_SPACE()
        || status == cuda_h.CUDA_ERROR_INVALID_PC()
        || status == cuda_h.CUDA_ERROR_ECC_UNCORRECTABLE()
        || status == cuda_h.CUDA_ERROR_NVLINK_UNCORRECTABLE();
  }

  /** The name of the {@code CUresult}, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public String code() {
    return code;
  }
}
